import type { AttentionLayout, DecoderSizes } from "./decoder-sizes.js";

export interface ComputeOptions {
  /** Cells of the caches of full and of sliding layers; 0 where there are none. */
  readonly cells: { readonly full: number; readonly sliding: number };
  /** Tokens per evaluation. */
  readonly batch: number;
  /** "off": every attention weight of a layer is held at once. */
  readonly flashAttention: "on" | "off";
  readonly vocabulary: number;
}

/** Activations are float32. */
const FLOAT_BYTES = 4;

/**
 * Bytes that llama.cpp v0.5.0 keeps for intermediate results of a full batch. Its allocator places them by best fit;
 * the counts of activations below are the largest that were seen (scripts/measure-memory.mjs), so this is an upper
 * estimate.
 */
export function computeBufferBytes(
  sizes: DecoderSizes,
  attention: AttentionLayout,
  { cells, batch, flashAttention, vocabulary }: ComputeOptions,
): number {
  const heads = sizes.heads ?? 0;
  const width = Math.max(sizes.hidden_size ?? 0, heads * (sizes.head_dim ?? 0)) * batch * FLOAT_BYTES;
  const feedForward = (sizes.feed_forward ?? 0) * batch * FLOAT_BYTES;
  // Fused attention takes its masks as float16.
  const masks = (cells.full + cells.sliding) * batch * (flashAttention === "on" ? 2 : FLOAT_BYTES);
  const weights =
    flashAttention === "on" ? 0 : Math.max(cells.full, cells.sliding) * batch * heads * FLOAT_BYTES;
  const isMixed = attention.layers.includes("full") && attention.layers.includes("sliding");
  const head = vocabulary * batch * FLOAT_BYTES + (isMixed ? 6 : 3) * width;
  const attending = masks + weights + 6.7 * width;
  const feeding = masks + 4.3 * width + 3 * feedForward;
  return Math.ceil(Math.max(head, attending, feeding));
}
