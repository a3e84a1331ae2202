import { readKeyValueHeads, readLayers } from "../common-config.js";
import type { ConfigReader } from "../config-reader.js";
import { readRope, type Rope } from "../rope.js";

/** Sizes of one Llama-shaped part: the backbone or the depth decoder. Lengths in elements, context in positions. */
export interface TransformerShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  readonly rmsNormEps: number;
  readonly rope: Rope;
}

export interface TransformerDefaults {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly contextLength: number;
}

/** `default_theta` of CsmConfig and CsmDepthDecoderConfig. */
const THETA = 500000;

/**
 * Reads the backbone's or the depth decoder's part of a CsmConfig.
 * What is wrong is noted in the reader.
 * @throws UserError LIMIT_LAYERS (exit 65)
 */
export function readTransformer(config: ConfigReader, defaults: TransformerDefaults): TransformerShape {
  const size = (key: string, meaning: string, fallback: number): number =>
    config.integer(key, { meaning, fallback });
  const hiddenSize = size("hidden_size", "width of the residual stream", defaults.hiddenSize);
  const intermediateSize = size(
    "intermediate_size",
    "width of the feed-forward layers",
    defaults.intermediateSize,
  );
  const layers = readLayers(config, defaults.layers);
  const heads = size("num_attention_heads", "attention heads per layer", defaults.heads);
  const contextLength = size(
    "max_position_embeddings",
    "longest context in positions",
    defaults.contextLength,
  );
  const shape = {
    hiddenSize,
    intermediateSize,
    layers,
    heads,
    keyValueHeads: readKeyValueHeads(config, heads, defaults.keyValueHeads),
    headDim: readHeadDim(config, hiddenSize, heads),
    contextLength,
    rmsNormEps: config.positive("rms_norm_eps", {
      meaning: "added to the mean square before the root in RMS norms",
      fallback: 1e-5,
    }),
  };
  refuseUnknownParts(config);
  const rope = readRope(config, contextLength, {
    theta: THETA,
    partialRotaryFactor: 1,
    types: ["default", "llama3"],
  });
  if (rope.partialRotaryFactor !== 1) {
    config.wrong("partial_rotary_factor", "1 or absent (CSM rotates whole heads)", rope.partialRotaryFactor);
  }
  return { ...shape, rope };
}

/**
 * Width of a head; absent or null means the hidden size shared out among the heads. What is wrong is noted in the reader.
 */
export function readHeadDim(config: ConfigReader, hiddenSize: number, heads: number): number {
  const meaning = "width of one attention head";
  if (config.has("head_dim")) {
    const value = config.integer("head_dim", { meaning });
    if (value % 2 !== 0) config.wrong("head_dim", "an even number", value);
    return value;
  }
  const value = Math.floor(hiddenSize / heads);
  if (value < 2 || value % 2 !== 0) {
    config.clash("hidden_size", `an even multiple of the ${heads} attention heads`, hiddenSize);
  }
  config.record("head_dim", value, "derived", meaning);
  return value;
}

function refuseUnknownParts(config: ConfigReader): void {
  config.choice("hidden_act", ["silu"], { meaning: "activation of the feed-forward gate", fallback: "silu" });
  for (const [key, meaning] of [
    ["attention_bias", "biases in the attention layers"],
    ["mlp_bias", "biases in the feed-forward layers"],
  ] as const) {
    if (config.boolean(key, { meaning, fallback: false })) {
      config.wrong(key, "false (parley runs no CSM with biases)", true);
    }
  }
}
