import type { TraceSession } from "../../engine/client/trace-session.js";
import { columnsOf } from "../chat-screen/input/graphemes.js";
import { shortened } from "../chat-screen/status/status-line.js";
import type { Palette } from "../chat-screen/transcript/palette.js";
import { safeLine } from "../safe-text.js";
import { percent } from "../trace/step-text.js";
import { DEAD, TRACE_KEYS } from "./screen-keys.js";
import type { TraceScreenState } from "./screen-state.js";

/** Narrower than this, locals stand below the source instead of beside it. */
const WIDE = 72;
/** Longest text of the program or the model that is laid out, in characters. */
const LONGEST = 1000;

/** A row before it has its colours: text that is safe, and a style for all of it. */
interface Row {
  readonly text: string;
  readonly style?: (text: string) => string;
}

/**
 * The whole screen as rows, one fewer than the terminal has, each no wider than it. What the model and the program say
 * has gone through the terminal filter.
 */
export function screenRows(
  session: TraceSession,
  state: TraceScreenState,
  { model, file, palette }: { model: string; file: string; palette: Palette },
): string[] {
  if (state.phase === "left") return [];
  const { columns } = state;
  const height = Math.max(1, state.rows - 1);
  const top = [{ text: titleOf(session, { model, file }), style: palette.dim }];
  const bottom = footer(session, state, palette);
  const room = height - top.length - bottom.length;
  let body: string[] = [];
  if (room > 0 && state.showsHelp) body = drawn(fit(helpRows(), room), columns);
  else if (room > 0 && columns >= WIDE) {
    const left = Math.floor(columns * 0.55);
    const source = drawn(sourceRows(session, state, palette, room), left - 1, { fill: true });
    const side = drawn(fit(stepRows(session, palette), room), columns - left - 2);
    body = source.map((row, i) => `${row} ${palette.dim("│")} ${side[i] ?? ""}`.trimEnd());
  } else if (room > 0) {
    const below = stepRows(session, palette).filter(({ text }) => text !== "");
    const sourceRoom = Math.max(1, Math.min(Math.ceil(room / 2), session.program.lines.length));
    body = drawn(
      [
        ...sourceRows(session, state, palette, sourceRoom).slice(0, sourceRoom),
        ...fit(below, room - sourceRoom),
      ],
      columns,
    );
  }
  const all = [...drawn(top, columns), ...body.slice(0, Math.max(0, room)), ...drawn(bottom, columns)];
  return all.slice(-height);
}

function titleOf(session: TraceSession, { model, file }: { model: string; file: string }): string {
  const { steps, options, usedTokens } = session;
  return [
    safeLine(file, { maxLength: 60 }),
    safeLine(model, { maxLength: 40 }),
    `frame ${steps.length}`,
    `${usedTokens}/${options.contextSize} tokens`,
    "predicted, not executed",
  ].join("  ");
}

/** The program around the current line, with line numbers, breakpoints, the chosen line. */
function sourceRows(session: TraceSession, state: TraceScreenState, palette: Palette, room: number): Row[] {
  const { lines } = session.program;
  const current = session.current?.line;
  const first = Math.max(0, Math.min(lines.length - room, state.cursor - 1 - Math.floor(room / 2)));
  const digits = String(lines.length).length;
  const outer = new Set(session.current?.scopeLines.slice(0, -1));
  const rows: Row[] = lines.slice(first, first + room).map((line, i) => {
    const number = first + i + 1;
    const marks = (state.breakpoints.has(number) ? "●" : " ") + (number === state.cursor ? "›" : " ");
    const arrow = number === current ? "=>" : outer.has(number) ? "->" : "  ";
    const text = `${marks}${String(number).padStart(digits)} ${arrow} ${safeLine(line.replaceAll("\t", "        "), { maxLength: LONGEST })}`;
    return number === current ? { text, style: palette.strong } : { text };
  });
  while (rows.length < room) rows.push({ text: "" });
  return rows;
}

/** The current frame: stack, locals with changes marked, values, confidence, what is malformed. */
function stepRows(session: TraceSession, palette: Palette): Row[] {
  const step = session.current;
  if (!step) return [{ text: "no frame yet: s or n predicts the first", style: palette.dim }];
  const { state, frame, confidence } = step;
  const rows: Row[] = [
    {
      text: `${frame.event}${step.forced ? " (forced)" : ""}${step.edited ? " (edited)" : ""}`,
      style: palette.strong,
    },
  ];
  const shares = (["event", "values", "source"] as const).flatMap((part) =>
    confidence[part] === undefined ? [] : [`${part} ${percent(confidence[part])}`],
  );
  if (shares.length > 0) rows.push({ text: `sure of ${shares.join(", ")}`, style: palette.dim });
  if (step.line === undefined) {
    rows.push({
      text: `no such line: ${safeLine(frame.source, { maxLength: LONGEST })}`,
      style: palette.warning,
    });
  }
  for (const problem of step.problems) {
    rows.push({ text: `malformed: ${safeLine(problem, { maxLength: LONGEST })}`, style: palette.warning });
  }
  if ("value" in frame) {
    const word = frame.event === "return" ? "returns" : "raises";
    const style = frame.event === "return" ? palette.strong : palette.error;
    rows.push({ text: `${word} ${safeLine(frame.value, { maxLength: LONGEST })}`, style });
  }
  rows.push({ text: "" }, { text: "calls", style: palette.heading });
  state.scopes.forEach((scope, i) => {
    const line = step.scopeLines[i];
    rows.push({ text: `${"  ".repeat(Math.min(i, 10))}${safeLine(scope.name)}:${line ?? "?"}` });
  });
  const top = state.scopes.at(-1);
  rows.push({ text: "" }, { text: "locals", style: palette.heading });
  for (const [name, value] of top?.locals ?? []) {
    const isNew = top?.changed.has(name) === true;
    const text = `${isNew ? "*" : " "} ${safeLine(name)} = ${safeLine(value, { maxLength: LONGEST })}`;
    rows.push(isNew ? { text, style: palette.user } : { text });
  }
  return rows;
}

function helpRows(): Row[] {
  const rows: Row[] = TRACE_KEYS.map(([key, words]) => ({ text: `  ${key.padEnd(10)} ${words}` }));
  return [
    { text: "keys" },
    ...rows,
    { text: "" },
    { text: "=> current line, -> callers, ● breakpoint, › chosen line, * changed" },
  ];
}

function footer(session: TraceSession, state: TraceScreenState, palette: Palette): Row[] {
  const { notice, typed, phase } = state;
  if (typed) {
    const isValue = session.current && "value" in session.current.frame;
    const [before, after] = [typed.text.slice(0, typed.at), typed.text.slice(typed.at)];
    const label = isValue ? "value: " : "edit: ";
    const plain = (text: string) => safeLine(text, { maxLength: Infinity });
    // the end of what is before the cursor must be seen
    const room = Math.max(1, state.columns - label.length - 2);
    return [
      { text: `${label}${tail(plain(before), room)}▏${plain(after)}` },
      { text: "Enter applies, Escape leaves it", style: palette.dim },
    ];
  }
  const tones = { info: palette.dim, warning: palette.warning, error: palette.error };
  const first: Row =
    phase === "working" || phase === "restarting"
      ? { text: activityOf(state), style: palette.dim }
      : notice
        ? { text: safeLine(notice.text, { maxLength: LONGEST }), style: tones[notice.tone] }
        : { text: phase === "dead" ? DEAD : "" };
  const keys =
    "n next  s step  o out  a all  b back  e edit  r restart  space break  g go to  ? help  q leave";
  return state.rows < 5 ? [first] : [...wrapped(first, state.columns), { text: keys, style: palette.dim }];
}

function activityOf({ activity, waiting }: TraceScreenState): string {
  const then = waiting.length === 0 ? "" : `, then ${shownKeys(waiting)}`;
  return `${activity ?? ""}${then}, Ctrl-C stops`;
}

/** The last keys that wait are what was just pressed. */
function shownKeys(keys: readonly string[]): string {
  const last = keys.slice(-8).join(" ");
  return keys.length > 8 ? `… ${last}` : last;
}

/** An error is read to its end, in at most four rows. */
function wrapped(row: Row, columns: number): Row[] {
  const rows: Row[] = [];
  let rest = row.text;
  do {
    const whole = shortened(rest, columns);
    const space = whole.length < rest.length ? whole.lastIndexOf(" ") : -1;
    const part = space > 0 ? whole.slice(0, space) : whole;
    rows.push({ ...row, text: part });
    rest = part === "" ? "" : rest.slice(part.length).trimStart();
  } while (rest !== "" && rows.length < 4);
  return rows;
}

function tail(text: string, columns: number): string {
  let start = 0;
  while (columnsOf(text.slice(start)) > columns) start++;
  return text.slice(start);
}

function fit(rows: readonly Row[], room: number): Row[] {
  if (rows.length <= room) return [...rows];
  return room < 1 ? [] : [...rows.slice(0, room - 1), { text: `… ${rows.length - room + 1} more` }];
}

function drawn(rows: readonly Row[], columns: number, { fill = false } = {}): string[] {
  return rows.map(({ text, style }) => {
    const short = shortened(text, Math.max(0, columns));
    const padding = fill ? " ".repeat(Math.max(0, columns - columnsOf(short))) : "";
    return (style ? style(short) : short) + padding;
  });
}
