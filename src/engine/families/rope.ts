import type { ConfigReader } from "./config-reader.js";

/** Frequency scaling of Llama 3.1: long wavelengths are stretched by `factor`, short ones stay. */
export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  /** Context length of pretraining, in tokens. */
  readonly originalContext: number;
}

export interface Rope {
  readonly theta: number;
  /** Share of each head that is rotated, above 0 and at most 1. */
  readonly partialRotaryFactor: number;
  /** Absent: plain RoPE. */
  readonly llama3?: Llama3Scaling;
}

export interface RopeDefaults {
  /** `default_theta` of the config class. */
  readonly theta: number;
  readonly partialRotaryFactor: number;
  /** What the class puts when the file has neither `rope_parameters` nor `rope_scaling`. */
  readonly whole?: Rope;
  /** Values of `rope_type` that the family's GGUF architecture can express. */
  readonly types: readonly ("default" | "llama3")[];
}

/**
 * Reads RoPE from either layout: `rope_parameters` (transformers 5), or `rope_theta` with `rope_scaling` and
 * `partial_rotary_factor` beside it (transformers 4). Precedence as RotaryEmbeddingConfigMixin of transformers 5.18:
 * a `rope_scaling` that is not empty replaces `rope_parameters`; keys inside win over keys beside.
 * @param maxPositions `max_position_embeddings`, the original context when nothing else names one
 * A type or number that cannot be used is noted in the reader.
 * @throws UserError CONFIG_VALUE when llama3 scaling lacks a parameter
 */
export function readRope(config: ConfigReader, maxPositions: number, defaults: RopeDefaults): Rope {
  const parameters = config.nested("rope_parameters");
  const scaling = config.nested("rope_scaling");
  const inner = scaling && scaling.size > 0 ? scaling : parameters;
  if (!inner && defaults.whole) {
    recordWhole(config, defaults.whole);
    return defaults.whole;
  }
  for (const kind of ["full_attention", "sliding_attention"]) {
    if (inner?.has(kind)) inner.wrong(kind, "absent (one RoPE serves all layers)", new Map());
  }
  const rope = readParameters(config, inner, maxPositions, defaults);
  if (inner) {
    inner.recordRest({});
    config.adopt(inner);
  }
  return rope;
}

/** Lists what the class supplies, a parameter each. */
function recordWhole(config: ConfigReader, { theta, llama3 }: Rope): void {
  const record = (key: string, value: unknown, meaning: string): void =>
    config.record(`rope_parameters.${key}`, value, "default", meaning);
  record("rope_theta", theta, MEANING.theta);
  record("rope_type", llama3 ? "llama3" : "default", MEANING.type);
  if (!llama3) return;
  record("factor", llama3.factor, MEANING.factor);
  record("low_freq_factor", llama3.lowFreqFactor, MEANING.low);
  record("high_freq_factor", llama3.highFreqFactor, MEANING.high);
  record(ORIGINAL, llama3.originalContext, MEANING.original);
}

const MEANING = {
  theta: "base of the rotary wavelengths",
  type: "how rotary wavelengths are scaled for long contexts",
  partial: "share of each head that is rotated",
  factor: "how much the longest wavelengths are stretched",
  low: "wavelengths above original context / this are fully stretched",
  high: "wavelengths below original context / this stay as they are",
  original: "context length of pretraining, in tokens",
} as const;

function readParameters(
  config: ConfigReader,
  inner: ConfigReader | undefined,
  maxPositions: number,
  defaults: RopeDefaults,
): Rope {
  const holder = (key: string): ConfigReader => (inner?.has(key) ? inner : config);
  const typeKey = inner?.has("rope_type") ? "rope_type" : "type";
  const type = inner?.has(typeKey)
    ? inner.choice(typeKey, defaults.types, { meaning: MEANING.type, fallback: "default" })
    : (config.record("rope_type", "default", "default", MEANING.type), "default");
  const theta = holder("rope_theta").positive("rope_theta", {
    meaning: MEANING.theta,
    fallback: defaults.theta,
  });
  const partialHolder = holder("partial_rotary_factor");
  // A class that always rotates whole heads has no such key.
  const isWhole = defaults.partialRotaryFactor === 1 && !partialHolder.has("partial_rotary_factor");
  const partialRotaryFactor = isWhole
    ? 1
    : partialHolder.positive("partial_rotary_factor", {
        meaning: MEANING.partial,
        fallback: defaults.partialRotaryFactor,
      });
  if (partialRotaryFactor > 1) partialHolder.wrong("partial_rotary_factor", "at most 1", partialRotaryFactor);
  if (type !== "llama3" || !inner) return { theta, partialRotaryFactor };
  const lowFreqFactor = inner.positive("low_freq_factor", { meaning: MEANING.low });
  const highFreqFactor = inner.positive("high_freq_factor", { meaning: MEANING.high });
  if (highFreqFactor <= lowFreqFactor) {
    inner.clash("high_freq_factor", `above low_freq_factor ${lowFreqFactor}`, highFreqFactor);
  }
  // A value beside the parameters wins over the one inside (standardize_rope_params).
  const originalHolder = config.has(ORIGINAL) ? config : inner;
  return {
    theta,
    partialRotaryFactor,
    llama3: {
      factor: inner.positive("factor", { meaning: MEANING.factor }),
      lowFreqFactor,
      highFreqFactor,
      originalContext: originalHolder.integer(ORIGINAL, {
        meaning: MEANING.original,
        fallback: maxPositions,
      }),
    },
  };
}

const ORIGINAL = "original_max_position_embeddings";

/**
 * Divisors of the rotary frequencies that express llama3 scaling, for ggml's `rope_freqs.weight`:
 * ggml divides the angle of pair i by element i. The formula is _compute_llama3_parameters of transformers 5.18
 * (modeling_rope_utils.py), every step rounded to float32 as torch rounds it.
 * @param width rotated elements per head
 * @returns width / 2 factors
 */
export function llama3FrequencyFactors(theta: number, width: number, scaling: Llama3Scaling): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
  const longest = originalContext / lowFreqFactor;
  const shortest = originalContext / highFreqFactor;
  const f32 = Math.fround;
  return Float32Array.from({ length: width / 2 }, (_, pair) => {
    const frequency = f32(1 / f32(Math.pow(theta, f32((2 * pair) / width))));
    const wavelength = f32((2 * Math.PI) / frequency);
    if (wavelength < shortest) return 1;
    if (wavelength > longest) return factor;
    const turns = f32(f32(originalContext / wavelength) - lowFreqFactor);
    const smooth = f32(turns / (highFreqFactor - lowFreqFactor));
    return 1 / f32(f32(f32(1 - smooth) / factor) + smooth);
  });
}
