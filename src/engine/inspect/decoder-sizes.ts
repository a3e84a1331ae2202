import type { MetadataValues } from "../formats/metadata-values.js";

/** Sizes of one decoder, as the metadata say it. What they leave open is null. */
export interface DecoderSizes {
  readonly layers: number | null;
  readonly hidden_size: number | null;
  readonly feed_forward: number | null;
  readonly heads: number | null;
  readonly key_value_heads: number | null;
  readonly head_dim: number | null;
  /** Width of a value head, where it differs from that of keys as well as where it does not. */
  readonly value_dim: number | null;
  readonly context_length: number | null;
}

/** Attention of every layer, from the first to the last. */
export interface AttentionLayout {
  /** Positions a sliding layer sees, the current one counted; null where no layer slides. */
  readonly window: number | null;
  readonly layers: readonly ("full" | "sliding")[];
}

/** @param prefix where the sizes stand: "cwm.", "csm.depth." */
export function readDecoderSizes(values: MetadataValues, prefix: string): DecoderSizes {
  const size = (key: string): number | null => values.number(prefix + key) ?? null;
  const heads = size("attention.head_count");
  const hidden = size("embedding_length");
  const even = heads === null || hidden === null ? null : hidden / heads;
  const headDim = size("attention.key_length") ?? even;
  return {
    layers: size("block_count"),
    hidden_size: hidden,
    feed_forward: size("feed_forward_length"),
    heads,
    key_value_heads: size("attention.head_count_kv") ?? heads,
    head_dim: headDim,
    value_dim: size("attention.value_length") ?? headDim,
    context_length: size("context_length"),
  };
}

/**
 * Which layers slide. A pattern is a flag per layer; a window without a pattern means that all layers slide, as in
 * Mimi.
 */
export function readAttention(values: MetadataValues, prefix: string, layers: number): AttentionLayout {
  const window = values.number(`${prefix}attention.sliding_window`) ?? 0;
  const pattern = values.array(`${prefix}attention.sliding_window_pattern`);
  const kinds = Array.from({ length: layers }, (_, layer) => {
    const slides = window > 0 && (pattern.length === 0 || pattern[layer] === true);
    return slides ? "sliding" : "full";
  });
  return { window: kinds.includes("sliding") ? window : null, layers: kinds };
}
