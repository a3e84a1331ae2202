import type { ConfigDiff, ConfigDifference } from "../../engine/inspect/config-diff.js";
import type { ConfigRow } from "../../engine/inspect/config-table.js";
import { safeLine } from "../safe-text.js";
import { counted, shownValue, table, wrap, type ViewOptions } from "./layout.js";

/** Longest value in a column; whole ones are in --json. */
const VALUE_COLUMNS = 36;
/** With fewer columns left, the meanings stand on lines of their own. */
const LEAST_MEANING = 30;

/** A line per value, under a heading for each part: key, value, where it comes from, what it means. */
export function configView(rows: readonly ConfigRow[], { columns, colours }: ViewOptions): string {
  const parts = new Map<string, ConfigRow[]>();
  for (const row of rows) {
    const part = /^(\w+_config)\./.exec(row.key)?.[1] ?? "";
    parts.set(part, [...(parts.get(part) ?? []), row]);
  }
  return [...parts]
    .flatMap(([part, own]) => [
      ...(part === "" ? [] : ["", colours.bold(part)]),
      ...partLines(own, part === "" ? 0 : part.length + 1, { columns, colours }),
    ])
    .join("\n");
}

function partLines(rows: readonly ConfigRow[], prefix: number, { columns, colours }: ViewOptions): string[] {
  const cells = rows.map(({ key, value, origin }) => [
    safeLine(key.slice(prefix), { maxLength: 60 }),
    summary(value),
    origin,
  ]);
  const lines = table(cells);
  const width = Math.max(0, ...lines.map((line) => line.length));
  const isWide = columns - width >= LEAST_MEANING;
  return lines.flatMap((line, i) => {
    const meaning = safeLine(rows[i]!.meaning);
    const shown = rows[i]!.origin === "file" ? line : colours.dim(line);
    if (!isWide) return [shown, ...wrap(meaning, columns - 4).map((part) => colours.dim(`    ${part}`))];
    const [first = "", ...more] = wrap(meaning, columns - width - 2);
    const gap = " ".repeat(width - line.length + 2);
    return [
      shown + gap + colours.dim(first),
      ...more.map((part) => " ".repeat(width + 2) + colours.dim(part)),
    ];
  });
}

/** What differs between two models, and how much does not. */
export function configDiffView(
  diff: ConfigDiff,
  names: readonly [string, string],
  { colours }: ViewOptions,
): string {
  const [left, right] = names.map((name) => safeLine(name, { maxLength: 40 }));
  const rows = diff.differences.map((difference) => [
    safeLine(difference.key, { maxLength: 80 }),
    sideOf(difference.left),
    sideOf(difference.right),
  ]);
  const [head, ...lines] = table([["", left!, right!], ...rows]);
  const unknown = diff.unknown === 0 ? "" : `, ${diff.unknown} that only one of the files keeps`;
  const summaryLine = `${counted(diff.differences.length, "difference")}, ${diff.equal} equal${unknown}`;
  return diff.differences.length === 0
    ? summaryLine
    : [colours.bold(head!), ...lines, summaryLine].join("\n");
}

function sideOf(side: ConfigDifference["left"]): string {
  if (!side) return "absent";
  return side.origin === "file" ? summary(side.value) : `${summary(side.value)} (${side.origin})`;
}

/** A long list of few different things is counted: "16 full_attention, 48 sliding_attention". */
function summary(value: unknown): string {
  if (Array.isArray(value) && value.length > 4 && value.every((one) => typeof one === "string")) {
    const kinds = [...new Set(value as string[])];
    if (kinds.length <= 2) {
      const counts = kinds.map((kind) => `${value.filter((one) => one === kind).length} ${kind}`);
      return safeLine(counts.join(", "), { maxLength: 2 * VALUE_COLUMNS });
    }
  }
  return shownValue(value, VALUE_COLUMNS);
}
