import { columnsOf } from "./input/graphemes.js";
import { editorRows, type EditorRow } from "./input/editor-rows.js";
import type { ScreenState } from "./screen-state.js";
import { shortened, statusLine } from "./status/status-line.js";
import { blockRows } from "./transcript/item-rows.js";
import type { Palette } from "./transcript/palette.js";
import { wrapSpans } from "./transcript/wrap-spans.js";
import { safeLine } from "../safe-text.js";

/** Rows the live part of an answer may take at most, however tall the terminal is. */
const TALLEST = 24;

/** The cursor is drawn: reversed, whatever the colours. */
const CURSOR_ON = "\u001b[7m";
const CURSOR_OFF = "\u001b[27m";

/** Narrower than this, the input has no prompt. */
const NARROW = 12;

/** How tall the changing part of an answer may become. */
export function liveHeight(rows: number): number {
  return Math.max(1, Math.min(TALLEST, rows - 6));
}

/**
 * Everything below the finished transcript, as rows: the open end of the answer, a notice, the input, the status. Always
 * fewer rows than the terminal has, or Ink would draw the whole transcript again.
 */
export function liveRows(state: ScreenState, palette: Palette): string[] {
  const { columns } = state;
  if (state.phase === "left" || state.hidden) return [];
  let room = Math.max(1, state.rows - 1);
  const take = (rows: string[], from: "start" | "end"): string[] => {
    const taken = from === "end" ? rows.slice(Math.max(0, rows.length - room)) : rows.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const input = take(
    inputRows(state, palette, Math.max(1, Math.min(room, Math.floor(state.rows / 2)))),
    "end",
  );
  const status = take([palette.dim(statusLine(state.status, columns))], "start");
  const notice = take(noticeRows(state, palette), "start");
  const answer = take(answerRows(state, palette), "end");
  const gap = answer.length > 0 || state.transcript.length > 0 ? take([""], "start") : [];
  return [...answer, ...gap, ...notice, ...input, ...status];
}

function answerRows({ live, columns, rows }: ScreenState, palette: Palette): string[] {
  if (live === undefined) return [];
  const shown = [
    ...(live.thinking === undefined
      ? []
      : wrapSpans([{ text: live.thinking, style: palette.dim }], { columns, indent: ["  ", "  "] })),
    ...(live.block === undefined ? [] : blockRows(live.block, palette, columns)),
    ...(live.activity === undefined ? [] : [palette.dim(shortened(live.activity, columns))]),
  ];
  return shown.slice(-liveHeight(rows));
}

function noticeRows({ notice, columns, phase }: ScreenState, palette: Palette): string[] {
  if (notice !== undefined)
    return wrapSpans([{ text: notice, style: palette.warning }], { columns }).slice(0, 6);
  if (phase === "dead") {
    return wrapSpans(
      [{ text: "Enter starts the engine again; the conversation is kept", style: palette.warning }],
      {
        columns,
      },
    );
  }
  return [];
}

function inputRows(state: ScreenState, palette: Palette, maxRows: number): string[] {
  const { columns, search, history } = state;
  if (search !== undefined) {
    const found = search.found === undefined ? "" : (history.entries[search.found] ?? "");
    const line = `search: ${safeLine(search.query)}${CURSOR_ON} ${CURSOR_OFF} ${safeLine(found, { maxLength: columns })}`;
    return [
      columnsOf(line) <= columns ? line : `${shortened(line.replaceAll(/\u001b\[\d+m/g, ""), columns)}`,
    ];
  }
  const isNarrow = columns < NARROW;
  const rows = editorRows(state.editor, {
    slots: state.slots,
    prompts: isNarrow ? ["", ""] : [">>> ", "... "],
    columns,
    maxRows,
  });
  const isEmpty = state.editor.text === "" && !isNarrow;
  const hint = shortened("Send a message (/help for help)", columns - 6);
  return rows.map((row, i) => drawn(row) + (isEmpty && i === 0 ? palette.dim(hint) : ""));
}

function drawn({ before, cursor, after }: EditorRow): string {
  return cursor === undefined ? before + after : `${before}${CURSOR_ON}${cursor}${CURSOR_OFF}${after}`;
}
