import type { ChalkInstance } from "chalk";
import { jsonValue } from "../../engine/inspect/json-value.js";
import { safeLine, type SafeText } from "../safe-text.js";

/** How a view may draw. */
export interface ViewOptions {
  /** Columns of the terminal; of a pipe, as many as the text wants. */
  readonly columns: number;
  /** Without colours in pipes. */
  readonly colours: ChalkInstance;
}

const LABEL_COLUMNS = 13;
/** Below this a page cannot be laid out; lines are wrapped by the terminal then. */
const LEAST_COLUMNS = 40;

/** 131072 becomes "131,072". */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** "1 layer", "1,024 layers" */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** 32600000000 becomes "32.6 B". */
export function parameterCount(count: number): string {
  const units = [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const unit = units.find(([size]) => count >= size);
  return unit ? `${(count / unit[0]).toPrecision(3)} ${unit[1]}` : String(count);
}

/** "label        text", with the text wrapped at spaces and its later lines under the first. */
export function field(label: string, text: string, { columns, colours }: ViewOptions): string[] {
  const width = Math.max(columns, LEAST_COLUMNS) - LABEL_COLUMNS - 2;
  return text
    .split("\n")
    .flatMap((line) => wrap(line, width))
    .map((line, i) => `  ${colours.dim((i === 0 ? label : "").padEnd(LABEL_COLUMNS))}${line}`);
}

/** Lines of at most so many columns, cut at spaces where there are any. Only for text without colours. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(1, columns);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const cut = space > 0 ? space : width;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}

/** Rows with their columns under each other. The last one takes what is left and may be wrapped by the terminal. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** A value from a file on one line: short, and harmless to a terminal. */
export function shownValue(value: unknown, maxLength = 200): SafeText {
  if (typeof value === "string") return safeLine(JSON.stringify(value), { maxLength });
  return safeLine(JSON.stringify(jsonValue(value)) ?? "", { maxLength });
}
