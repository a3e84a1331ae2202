import type { AttentionLayout } from "../../engine/inspect/decoder-sizes.js";
import { counted, grouped } from "./layout.js";

const FULL = "█";
const SLIDING = "░";

/** A mark per layer, from the first to the last, in rows of equal length, and what the marks mean. */
export function attentionStrip({ layers, window }: AttentionLayout, width: number): string {
  const full = layers.filter((layer) => layer === "full").length;
  const sliding = layers.length - full;
  if (full + sliding === 0) return "no layers";
  if (sliding === 0) return `${counted(full, "full layer")}, every one sees the whole context`;
  const marks = layers.map((layer) => (layer === "full" ? FULL : SLIDING));
  const perRow = Math.max(8, Math.floor(width / 8) * 8);
  const rows = Array.from({ length: Math.ceil(marks.length / perRow) }, (_, row) =>
    marks.slice(row * perRow, (row + 1) * perRow).join(""),
  );
  const seen = `${SLIDING} ${counted(sliding, "sliding layer")}, ${grouped(window ?? 0)} positions each`;
  const legend = full === 0 ? seen : `${FULL} ${counted(full, "full layer")}   ${seen}`;
  return [...rows, legend].join("\n");
}
