import type { ConfigReader } from "../config-reader.js";
import { readRope, type Rope } from "../rope.js";
import { UserError } from "../../errors.js";

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
/** As for llama.cpp's models (LLAMA_MAX_LAYERS); the speech library checks the same bound. */
const MAX_LAYERS = 512;

/**
 * Reads the backbone's or the depth decoder's part of a CsmConfig.
 * @throws UserError CONFIG_VALUE, LIMIT_LAYERS (exit 65)
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
  const layers = size("num_hidden_layers", "number of decoder layers", defaults.layers);
  if (layers > MAX_LAYERS) {
    throw new UserError(
      "badFile",
      "LIMIT_LAYERS",
      `${config.file}: "num_hidden_layers" is ${layers}, the most that can run is ${MAX_LAYERS}`,
      "Check the checkpoint's config.json.",
    );
  }
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
    throw config.wrong(
      "partial_rotary_factor",
      "1 or absent (CSM rotates whole heads)",
      rope.partialRotaryFactor,
    );
  }
  return { ...shape, rope };
}

/**
 * Heads that share keys and values in groups; null means one per attention head.
 * @throws UserError CONFIG_VALUE
 */
export function readKeyValueHeads(config: ConfigReader, heads: number, fallback: number): number {
  const meaning = "key and value heads per layer, each shared by a group of attention heads";
  if (config.isNull("num_key_value_heads")) {
    config.record("num_key_value_heads", heads, "derived", meaning);
    return heads;
  }
  const value = config.integer("num_key_value_heads", { meaning, fallback });
  if (heads % value !== 0) {
    throw config.wrong("num_key_value_heads", `a divisor of the ${heads} attention heads`, value);
  }
  return value;
}

/**
 * Width of a head; absent or null means the hidden size shared out among the heads.
 * @throws UserError CONFIG_VALUE
 */
export function readHeadDim(config: ConfigReader, hiddenSize: number, heads: number): number {
  const meaning = "width of one attention head";
  if (config.has("head_dim")) {
    const value = config.integer("head_dim", { meaning });
    if (value % 2 !== 0) throw config.wrong("head_dim", "an even number", value);
    return value;
  }
  const value = Math.floor(hiddenSize / heads);
  if (value < 2 || value % 2 !== 0) {
    throw config.wrong("hidden_size", `an even multiple of the ${heads} attention heads`, hiddenSize);
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
      throw config.wrong(key, "false (parley runs no CSM with biases)", true);
    }
  }
}
