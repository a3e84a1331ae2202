import { columnsOf } from "../input/graphemes.js";
import { wrapSpans } from "./wrap-spans.js";

/** Columns between a name and its meaning. */
const GAP = 2;

/** Narrower than this, a meaning does not stand beside its name but below it. */
const NARROWEST = 24;

/** Names and their meanings in two columns; a meaning of several rows stays in its column. */
export function pairRows(pairs: readonly (readonly [string, string])[], columns: number): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => columnsOf(name))) + GAP;
  const isNarrow = columns - width < NARROWEST;
  return pairs.flatMap(([name, meaning]) => {
    if (isNarrow) {
      const indent = columns > NARROWEST ? "  " : "";
      return [...wrapSpans([{ text: name }], { columns }), ...wrapped(meaning, columns, indent)];
    }
    const [first = "", ...rest] = wrapped(meaning, columns - width, "");
    const margin = " ".repeat(width - columnsOf(name));
    return [name + margin + first, ...rest.map((row) => " ".repeat(width) + row)];
  });
}

function wrapped(text: string, columns: number, indent: string): string[] {
  return wrapSpans([{ text }], { columns, indent: [indent, indent] });
}
