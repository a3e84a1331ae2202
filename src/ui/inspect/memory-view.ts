import type { MemoryEstimate, MemoryRow } from "../../engine/inspect/memory.js";
import { formatBytes } from "../../engine/system/format-bytes.js";
import { grouped, table, type ViewOptions } from "./layout.js";

/** A column per context length, a line for each thing that takes memory. */
export function memoryView(
  { rows, type, kv_type, swa_full, gpu_layers }: MemoryEstimate,
  view: ViewOptions,
): string {
  const { colours } = view;
  const line = (title: string, value: (row: MemoryRow) => number): string[] => [
    title,
    ...rows.map((row) => formatBytes(value(row))),
  ];
  const used = (value: (row: MemoryRow) => number): boolean => rows.some((row) => value(row) > 0);
  const full = swa_full ? `cache, sliding layers (whole)` : "cache, sliding layers";
  const cells = [
    ["tokens", ...rows.map(({ context }) => grouped(context))],
    line(`weights (${type})`, (row) => row.weights),
    ...(used((row) => row.repacked) ? [line("weights, repacked copies", (row) => row.repacked)] : []),
    ...(used((row) => row.cache_full)
      ? [line(`cache, full layers (${kv_type})`, (row) => row.cache_full)]
      : []),
    ...(used((row) => row.cache_sliding) ? [line(`${full} (${kv_type})`, (row) => row.cache_sliding)] : []),
    line("compute buffers", (row) => row.compute),
    line("engine process", (row) => row.process),
    line("total", (row) => row.total),
    ...(gpu_layers > 0
      ? [line(`of that on the GPU (${gpu_layers} layers; the driver takes more)`, (row) => row.gpu)]
      : []),
  ];
  const right = rows.map((_, column) => column + 1);
  return table(cells, right)
    .map((text, index) => (index === 0 || cells[index]?.[0] === "total" ? colours.bold(text) : text))
    .join("\n");
}
