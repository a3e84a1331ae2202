import { formatBytes } from "../../engine/system/format-bytes.js";
import type { PartOverview } from "../../engine/inspect/parts.js";
import { counted, grouped, parameterCount, wrap, type ViewOptions } from "./layout.js";

/** A model of several parts as boxes, one under the other, in the order of the computation. */
export function partsDrawing(parts: readonly PartOverview[], { columns, colours }: ViewOptions): string[] {
  const most = Math.max(30, columns - 8);
  const texts = parts.map((part) => [part.name, ...describePart(part).flatMap((line) => wrap(line, most))]);
  const width = Math.max(...texts.flat().map((line) => line.length));
  const codebooks = parts.find((part) => part.codebooks !== null)?.codebooks;
  const between = (index: number): string =>
    index === 0 ? "one state per frame" : `${codebooks ?? "?"} codes per frame`;
  return texts.flatMap((lines, index) => [
    `  ┌─${"─".repeat(width)}─┐`,
    ...lines.map((line, at) => {
      const padded = line.padEnd(width);
      return `  │ ${at === 0 ? colours.bold(padded) : padded} │`;
    }),
    `  └─${"─".repeat(width)}─┘`,
    ...(index < parts.length - 1 ? [`      ↓ ${between(index)}`] : []),
  ]);
}

function describePart(part: PartOverview): string[] {
  const { sizes, attention } = part;
  const shape = [
    `${counted(sizes.layers ?? 0, "layer")} × ${grouped(sizes.hidden_size ?? 0)}`,
    `${sizes.heads} heads of ${sizes.head_dim} sharing ${sizes.key_value_heads}`,
    `feed-forward ${grouped(sizes.feed_forward ?? 0)}`,
  ].join(", ");
  const reach =
    attention.window === null
      ? `${grouped(sizes.context_length ?? 0)} positions`
      : `sees ${grouped(attention.window)} positions`;
  const audio =
    part.sample_rate === null
      ? ""
      : `, ${part.frames_per_second} frames of ${part.codebooks} codes a second to ${grouped(part.sample_rate)} Hz`;
  return [part.role, `${parameterCount(part.parameters)}, ${formatBytes(part.bytes)}`, shape, reach + audio];
}
