import { UserError } from "../errors.js";
import { START_MARK } from "./frame.js";
import { type ProgramOutline, scanDefinitions } from "./scan-definitions.js";

/** Where a trace begins. */
export type TraceEntry =
  /** `line` is that of its `def` */
  { readonly kind: "function"; readonly name: string; readonly line: number } | { readonly kind: "module" };

/** A program as it is traced. */
export interface TraceProgram {
  /** what a model reads: the program with `# << START_OF_TRACE` at its entry */
  readonly context: string;
  /** what Python runs: the same without the mark */
  readonly source: string;
  /** of `source`, without line ends; line n is lines[n - 1] */
  readonly lines: readonly string[];
  readonly entry: TraceEntry;
  /** an entry of the user's own was added, and replaces what stands under `if __name__ == "__main__":` */
  readonly hasOwnEntry: boolean;
  readonly outline: ProgramOutline;
}

/** Strings of one line. */
const STRINGS = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

const MARK = "  # << START_OF_TRACE";

/** Programs beyond this fill any context; in UTF-16 units. */
const LONGEST_PROGRAM = 4_000_000;

/**
 * Puts the mark where the trace begins: at the call given, else where the program has the mark already, else at its
 * function `main`, else at its first line.
 * @param entry a call, `f(1, 2)`, for which a function is added at the end; or a name, whose function is marked
 * @throws UserError TRACE_EMPTY, TRACE_TOO_LONG, TRACE_ENTRY, TRACE_MARKS (exit 2)
 */
export function prepareProgram(text: string, entry?: string): TraceProgram {
  if (text.length > LONGEST_PROGRAM) throw usage("TRACE_TOO_LONG", "The program is too long to be traced.");
  const given = text.replace(/^\ufeff/, "").replaceAll(/\r\n?/g, "\n");
  const marked = given.split("\n").flatMap((line, i) => (START_MARK.test(line) ? [i + 1] : []));
  const unmarked = given
    .split("\n")
    .map((line) => line.replace(START_MARK, ""))
    .join("\n");
  const own = withLineEnd(unmarked);
  const outline = scanDefinitions(own);
  if (outline.firstCodeLine === undefined) {
    throw usage("TRACE_EMPTY", "There is no program to trace: the source has no code.");
  }
  const call = entry?.trim();
  if (call !== undefined && !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(call)) return withCall(own, call);
  if (call !== undefined) return markFunction(own, outline, call);
  if (marked.length > 1) {
    throw usage(
      "TRACE_MARKS",
      `The program has ${marked.length} lines marked "# << START_OF_TRACE" (${marked.join(", ")}); one is the entry.`,
    );
  }
  if (marked[0] !== undefined) return markLine(own, outline, marked[0]);
  return outline.definitions.some(
    ({ name, indent, kind }) => name === "main" && indent === 0 && kind === "def",
  )
    ? markFunction(own, outline, "main")
    : markLine(own, outline, outline.firstCodeLine);
}

function markFunction(source: string, outline: ProgramOutline, name: string): TraceProgram {
  const found = outline.definitions.findLast(
    (one) => one.name === name && one.kind === "def" && one.indent === 0,
  );
  if (!found) {
    const names = outline.definitions.filter(({ kind, indent }) => kind === "def" && indent === 0);
    const list = names.map((one) => one.name).join(", ");
    throw usage(
      "TRACE_ENTRY",
      `The program has no function ${name}${list === "" ? "" : `; it has ${list.slice(0, 500)}`}.`,
    );
  }
  return markLine(source, outline, found.line);
}

/** The line of a `def` is a function's entry, any other line the module's. */
function markLine(source: string, outline: ProgramOutline, line: number): TraceProgram {
  const lines = source.replace(/\n$/, "").split("\n");
  const definition = outline.definitions.find((one) => one.line === line && one.kind === "def");
  const isFirst = line === outline.firstCodeLine;
  if (!definition && !isFirst) {
    throw usage("TRACE_MARKS", `Line ${line} is marked as the entry, but no function begins there.`);
  }
  return {
    context: lines.map((one, i) => (i + 1 === line ? one + MARK : one)).join("\n") + "\n",
    source,
    lines,
    entry: definition ? { kind: "function", name: definition.name, line } : { kind: "module" },
    hasOwnEntry: false,
    outline,
  };
}

/** Adds `def main(): return CALL`, under a name the program does not use. */
function withCall(source: string, call: string): TraceProgram {
  if (call === "" || /[\n\r#;]/.test(call.replace(STRINGS, '""')) || !/\(.*\)$/s.test(call)) {
    throw usage(
      "TRACE_ENTRY",
      `--entry expects a call such as "f(1, 2)" or a function's name, found "${call.slice(0, 80)}".`,
    );
  }
  const free = (name: string) => !new RegExp(`\\b${name}\\b`).test(source);
  const name = ["main", "entry", "traced_entry"].find(free) ?? `traced_entry_${source.length}`;
  const added = `${source}\n\ndef ${name}():\n    return ${call}\n`;
  const program = markFunction(added, scanDefinitions(added), name);
  return { ...program, hasOwnEntry: true };
}

function withLineEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function usage(code: string, message: string): UserError {
  return new UserError(
    "usage",
    code,
    message,
    'Say where to begin with --entry "f(1, 2)", or mark a function: def f(x):  # << START_OF_TRACE',
  );
}
