import type { Tokens } from "marked";
import { columnsOf } from "../input/graphemes.js";
import { inlineSpans } from "./inline-spans.js";
import type { Palette } from "./palette.js";
import type { Span } from "./span.js";
import { wrapSpans } from "./wrap-spans.js";

const GAP = 2;

/** A table whose columns share the width of the terminal; where even that is too narrow, one cell per line. */
export function tableRows(table: Tokens.Table, palette: Palette, columns: number): string[] {
  const cells = [table.header, ...table.rows].map((row, number) =>
    row.map(({ tokens }) => inlineSpans(tokens, palette, number === 0 ? palette.strong : undefined)),
  );
  const natural = table.header.map((_, column) =>
    Math.max(1, ...cells.map((row) => columnsOf((row[column] ?? []).map(({ text }) => text).join("")))),
  );
  const widths = share(natural, columns - GAP * (natural.length - 1));
  if (widths === undefined) return listed(cells, palette, columns);
  const rows = cells.map((row) => gridRow(row, widths, table.align));
  const rule = palette.dim(widths.map((width) => "─".repeat(width)).join(" ".repeat(GAP)));
  return [...rows[0]!, rule, ...rows.slice(1).flat()];
}

/** Widths that fit: the widest columns give first. undefined when less than 3 columns would be left for one. */
function share(natural: readonly number[], room: number): number[] | undefined {
  const widths = [...natural];
  let sum = widths.reduce((total, width) => total + width, 0);
  while (sum > room) {
    const widest = Math.max(...widths);
    if (widest <= 3) return undefined;
    const second = Math.max(3, ...widths.filter((width) => width < widest));
    const count = widths.filter((width) => width === widest).length;
    const cut = Math.max(1, Math.min(widest - second, Math.ceil((sum - room) / count)));
    for (let i = 0; i < widths.length && sum > room; i++) {
      if (widths[i] !== widest) continue;
      const given = Math.min(cut, sum - room);
      widths[i]! -= given;
      sum -= given;
    }
  }
  return widths;
}

function gridRow(
  row: readonly Span[][],
  widths: readonly number[],
  align: readonly ("center" | "left" | "right" | null)[],
): string[] {
  const wrapped = widths.map((columns, i) => {
    const spans = row[i] ?? [];
    return {
      lines: wrapSpans(spans, { columns }),
      plain: wrapSpans(
        spans.map(({ text }) => ({ text })),
        { columns },
      ),
    };
  });
  const height = Math.max(...wrapped.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, i) => {
        const missing = Math.max(0, width - columnsOf(wrapped[i]!.plain[line] ?? ""));
        const left = align[i] === "right" ? missing : align[i] === "center" ? missing >> 1 : 0;
        return " ".repeat(left) + (wrapped[i]!.lines[line] ?? "") + " ".repeat(missing - left);
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

function listed(cells: readonly Span[][][], palette: Palette, columns: number): string[] {
  const [header = [], ...rows] = cells;
  return rows.flatMap((row) =>
    row.flatMap((cell, i) => [
      ...wrapSpans(
        [{ text: `${(header[i] ?? []).map(({ text }) => text).join("")}: `, style: palette.dim }, ...cell],
        {
          columns,
        },
      ),
    ]),
  );
}
