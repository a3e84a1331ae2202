import { ggmlType } from "../tensors/ggml-types.js";
import type { AttentionLayout, DecoderSizes } from "./decoder-sizes.js";

/** Types a cache may have. */
export type CacheType = "f16" | "f32" | "q8_0";

export interface CacheOptions {
  readonly type: CacheType;
  /** "window": sliding layers keep what they can see; "whole": as much as full ones (--swa-full). */
  readonly sliding: "window" | "whole";
  /** Tokens per evaluation; a sliding layer keeps so many beyond its window. */
  readonly batch: number;
}

/** Bytes of the keys and values of one context, by kind of layer. */
export interface CacheSize {
  readonly full: number;
  readonly sliding: number;
  readonly total: number;
}

/** llama.cpp rounds contexts and windows up to whole steps of so many cells (llama-context.cpp, llama-kv-cache-iswa.cpp). */
const CELL_STEP = 256;

/** Cells of the two kinds of cache; 0 for a kind that no layer is of. @param context tokens */
export function cacheCells(
  attention: AttentionLayout,
  context: number,
  { sliding, batch }: Omit<CacheOptions, "type">,
): { readonly full: number; readonly sliding: number } {
  const cells = roundUp(context);
  const window = Math.min(cells, roundUp((attention.window ?? 0) + batch));
  return {
    full: attention.layers.includes("full") ? cells : 0,
    sliding: attention.layers.includes("sliding") ? (sliding === "whole" ? cells : window) : 0,
  };
}

/** @param context tokens */
export function cacheSize(
  sizes: DecoderSizes,
  attention: AttentionLayout,
  context: number,
  options: CacheOptions,
): CacheSize {
  const cells = cacheCells(attention, context, options);
  const perCell = bytesPerCell(sizes, options.type);
  const bytesOfKind = (kind: "full" | "sliding"): number =>
    attention.layers.filter((layer) => layer === kind).length * cells[kind] * perCell;
  const full = bytesOfKind("full");
  const slid = bytesOfKind("sliding");
  return { full, sliding: slid, total: full + slid };
}

/** Keys and values of one token in one layer. */
function bytesPerCell(sizes: DecoderSizes, type: CacheType): number {
  const heads = sizes.key_value_heads ?? 0;
  const { blockSize, typeSize } = ggmlType(type.toUpperCase());
  const widths = [sizes.head_dim ?? 0, sizes.value_dim ?? 0];
  return widths.reduce((sum, width) => sum + Math.ceil((heads * width) / blockSize) * typeSize, 0);
}

function roundUp(cells: number): number {
  return Math.ceil(cells / CELL_STEP) * CELL_STEP;
}
