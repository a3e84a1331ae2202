/** A `def` or `class` of a program. Lines are counted from 1. */
export interface Definition {
  readonly kind: "def" | "class";
  readonly name: string;
  readonly line: number;
  /** last line of its body */
  readonly lastLine: number;
  /** width of the white space before it */
  readonly indent: number;
}

export interface ProgramOutline {
  /** in the order of the program */
  readonly definitions: readonly Definition[];
  /** first line that is neither blank nor a comment */
  readonly firstCodeLine: number | undefined;
}

/**
 * Finds definitions without a Python: reads logical lines, so that strings over several lines and brackets hide what
 * only looks like one. A program that is no Python gives something harmless.
 */
export function scanDefinitions(source: string): ProgramOutline {
  const open: { definition: Omit<Definition, "lastLine">; index: number }[] = [];
  const definitions: Definition[] = [];
  let firstCodeLine: number | undefined;
  let lastCodeLine = 0;
  const close = (indent: number) => {
    while (open.length > 0 && open.at(-1)!.definition.indent >= indent) {
      const { definition, index } = open.pop()!;
      definitions[index] = { ...definition, lastLine: lastCodeLine };
    }
  };
  for (const { line, lastLine, text } of logicalLines(source)) {
    const code = text.trimStart();
    if (code === "" || code.startsWith("#")) continue;
    firstCodeLine ??= line;
    const indent = indentOf(text);
    close(indent);
    const found = /^(?:async[ \t]+)?(def|class)[ \t]+([\p{L}_][\p{L}\p{N}_]*)/u.exec(code);
    if (found) {
      const definition = { kind: found[1] as Definition["kind"], name: found[2]!, line, indent };
      open.push({ definition, index: definitions.length });
      definitions.push({ ...definition, lastLine });
    }
    lastCodeLine = lastLine;
  }
  close(0);
  return { definitions, firstCodeLine };
}

/** Tabs go to the next multiple of eight, as Python counts them. */
function indentOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (char === " ") width++;
    else if (char === "\t") width += 8 - (width % 8);
    else break;
  }
  return width;
}

/** Strings (three quotes before one), comments, brackets, a joined line, a line end. */
const NOTABLE =
  /"""(?:\\[\s\S]|(?!""")[^\\])*(?:"""|$)|'''(?:\\[\s\S]|(?!''')[^\\])*(?:'''|$)|"(?:\\[\s\S]|[^\\"\n])*"?|'(?:\\[\s\S]|[^\\'\n])*'?|#[^\n]*|[([{]|[)\]}]|\\\r?\n|\n/g;

function* logicalLines(source: string): Generator<{ line: number; lastLine: number; text: string }> {
  let depth = 0;
  let start = 0;
  let line = 1;
  let lineNow = 1;
  for (const { 0: token, index } of source.matchAll(NOTABLE)) {
    const breaks = token.split("\n").length - 1;
    if (token === "\n" && depth === 0) {
      yield { line, lastLine: lineNow, text: source.slice(start, index) };
      start = index + 1;
      line = lineNow + 1;
    } else if (/^[([{]$/.test(token)) depth++;
    else if (/^[)\]}]$/.test(token)) depth = Math.max(0, depth - 1);
    lineNow += breaks;
  }
  if (start < source.length) yield { line, lastLine: lineNow, text: source.slice(start) };
}
