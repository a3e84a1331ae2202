import { UserError } from "../errors.js";
import { parseStrictJson, type JsonObject } from "../formats/strict-json.js";
import type { ConfigReader } from "./config-reader.js";
import type { CheckpointTexts } from "./family.js";

/** llama.cpp v0.5.0 aborts on more (LLAMA_MAX_LAYERS); the speech library checks the same bound. */
const MAX_LAYERS = 512;

/** Sizes that every decoder here has. Lengths in elements, contexts in tokens. */
export interface DecoderShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  readonly rmsNormEps: number;
  readonly tiedEmbeddings: boolean;
}

/**
 * The configuration file of a checkpoint as an object.
 * @throws UserError CONFIG_MISSING (exit 66), CONFIG_JSON (exit 65)
 */
export function readConfigObject(texts: CheckpointTexts): {
  readonly file: string;
  readonly object: JsonObject;
} {
  const file = `${texts.label}/config.json`;
  const text = texts.text("config.json");
  if (text === undefined) {
    throw new UserError(
      "notFound",
      "CONFIG_MISSING",
      `${texts.label} has no config.json`,
      "Give the folder that holds the checkpoint's config.json and *.safetensors files.",
    );
  }
  const object = parseStrictJson(text, { file, code: "CONFIG_JSON", hint: "Download config.json again." });
  if (!(object instanceof Map)) {
    throw new UserError(
      "badFile",
      "CONFIG_JSON",
      `${file}: line 1: expected an object`,
      "Download config.json again.",
    );
  }
  return { file, object: object as JsonObject };
}

/**
 * Reads the sizes, with the defaults of the family's transformers class. What is wrong is noted in the reader.
 * @throws UserError LIMIT_LAYERS (exit 65)
 */
export function readDecoderShape(config: ConfigReader, defaults: DecoderShape): DecoderShape {
  const size = (key: string, meaning: string, fallback: number): number =>
    config.integer(key, { meaning, fallback });
  const vocabSize = size("vocab_size", "number of token ids, rows of the embedding", defaults.vocabSize);
  const hiddenSize = size("hidden_size", "width of the residual stream", defaults.hiddenSize);
  const intermediateSize = size(
    "intermediate_size",
    "width of the feed-forward layers",
    defaults.intermediateSize,
  );
  const layers = readLayers(config, defaults.layers);
  const heads = size("num_attention_heads", "attention heads per layer", defaults.heads);
  const keyValueHeads = readKeyValueHeads(config, heads, defaults.keyValueHeads);
  return {
    vocabSize,
    hiddenSize,
    intermediateSize,
    layers,
    heads,
    keyValueHeads,
    headDim: readHeadDim(config, hiddenSize, heads, defaults.headDim),
    contextLength: size("max_position_embeddings", "longest context in tokens", defaults.contextLength),
    rmsNormEps: config.positive("rms_norm_eps", {
      meaning: "added to the mean square before the root in RMS norms",
      fallback: defaults.rmsNormEps,
    }),
    tiedEmbeddings: config.boolean("tie_word_embeddings", {
      meaning: "the output matrix is the embedding",
      fallback: defaults.tiedEmbeddings,
    }),
  };
}

/** @throws UserError LIMIT_LAYERS (exit 65) */
export function readLayers(config: ConfigReader, fallback: number): number {
  const layers = config.integer("num_hidden_layers", { meaning: "number of decoder layers", fallback });
  if (layers <= MAX_LAYERS) return layers;
  throw new UserError(
    "badFile",
    "LIMIT_LAYERS",
    `${config.file}: "num_hidden_layers" is ${layers}, the most that can run is ${MAX_LAYERS}`,
    "Check the checkpoint's config.json.",
  );
}

/**
 * Heads that share keys and values in groups; null means one per attention head. What is wrong is noted in the reader.
 */
export function readKeyValueHeads(config: ConfigReader, heads: number, fallback: number): number {
  const meaning = "key and value heads per layer, each shared by a group of attention heads";
  if (config.isNull("num_key_value_heads")) {
    config.record("num_key_value_heads", heads, "derived", meaning);
    return heads;
  }
  const value = config.integer("num_key_value_heads", { meaning, fallback });
  if (heads % value !== 0) {
    config.clash("num_key_value_heads", `a divisor of the ${heads} attention heads`, value);
  }
  return value;
}

function readHeadDim(config: ConfigReader, hiddenSize: number, heads: number, fallback: number): number {
  const meaning = "width of one attention head";
  if (!config.isNull("head_dim")) {
    const value = config.integer("head_dim", { meaning, fallback });
    if (value % 2 !== 0) config.wrong("head_dim", "an even number", value);
    return value;
  }
  if (hiddenSize % (2 * heads) !== 0) {
    config.clash("hidden_size", `an even multiple of the ${heads} attention heads`, hiddenSize);
  }
  config.record("head_dim", hiddenSize / heads, "derived", meaning);
  return hiddenSize / heads;
}
