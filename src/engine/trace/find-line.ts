import { lineText } from "./frame.js";
import type { TraceProgram } from "./trace-program.js";

/**
 * Which line of the program a frame's text is. The text may stand there more than once: then the nearest behind the
 * line before counts, within the same function if that has it.
 * @param text the frame's source line
 * @param before line of the frame before in the same scope, counted from 1
 * @returns line counted from 1; undefined when the program has no such line
 */
export function findLine(
  program: TraceProgram,
  text: string,
  before: number | undefined,
): number | undefined {
  const wanted = lineText(text).trimEnd();
  if (wanted === "") return undefined;
  const found = program.lines.flatMap((line, i) => (line.trimEnd() === wanted ? [i + 1] : []));
  if (found.length <= 1 || before === undefined) return found[0];
  const around = program.outline.definitions.findLast(
    ({ kind, line, lastLine }) => kind === "def" && line <= before && before <= lastLine,
  );
  const inside = around ? found.filter((line) => line >= around.line && line <= around.lastLine) : [];
  const candidates = inside.length > 0 ? inside : found;
  return candidates.find((line) => line > before) ?? candidates.findLast((line) => line <= before);
}
