import { ConfigReader } from "../config-reader.js";
import { readConfigObject, readDecoderShape, type DecoderShape } from "../common-config.js";
import { inertKeys } from "../inert-keys.js";
import { readSpecialIds, type SpecialIds } from "../special-ids.js";
import type { CheckpointTexts, ConfigEntry } from "../family.js";
import { readRope, type Rope } from "../rope.js";

export interface CwmConfig extends DecoderShape, SpecialIds {
  readonly rope: Rope;
  /** How many positions a sliding layer sees, the current one counted; 0: there is no window anywhere. */
  readonly slidingWindow: number;
  /** One flag per layer: does it see the window only? All false when there is no window. */
  readonly sliding: readonly boolean[];
  readonly entries: readonly ConfigEntry[];
  readonly notes: readonly string[];
}

/** Defaults of CwmConfig in transformers 5.18. */
const DEFAULTS: DecoderShape = {
  vocabSize: 128256,
  hiddenSize: 6144,
  intermediateSize: 21504,
  layers: 64,
  heads: 48,
  keyValueHeads: 8,
  headDim: 128,
  contextLength: 131072,
  rmsNormEps: 1e-5,
  tiedEmbeddings: false,
};
const DEFAULT_WINDOW = 8192;
const DEFAULT_IDS: SpecialIds = {
  bosTokenId: 128000,
  padTokenId: undefined,
  eosTokenIds: [128001, 128008, 128009],
};
/** Without `layer_types`, layers 0, 4, 8, ... see everything. */
const DEFAULT_FULL_EVERY = 4;
const DEFAULT_ROPE: Rope = {
  theta: 1e6,
  partialRotaryFactor: 1,
  llama3: { factor: 16, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 },
};

const INERT = inertKeys("cwm", {
  pretraining_tp: { meaning: "how training split the matrices", fallback: 1 },
});

/**
 * Reads the config.json of a CwmForCausalLM checkpoint in the layout of transformers 4 or 5.
 * @throws UserError CONFIG_JSON, CONFIG_VALUE, LIMIT_LAYERS (exit 65)
 */
export function readCwmConfig(texts: CheckpointTexts): CwmConfig {
  const { file, object } = readConfigObject(texts);
  const config = new ConfigReader(object, file);
  const notes: string[] = [];
  const shape = readDecoderShape(config, DEFAULTS);
  if (shape.hiddenSize % shape.heads !== 0) {
    config.clash("hidden_size", `a multiple of the ${shape.heads} attention heads`, shape.hiddenSize);
  }
  config.choice("hidden_act", ["silu"], { meaning: "activation of the feed-forward gate", fallback: "silu" });
  if (config.boolean("mlp_bias", { meaning: "biases in the feed-forward layers", fallback: false })) {
    config.wrong("mlp_bias", "false (parley runs no CWM with feed-forward biases)", true);
  }
  const rope = readRope(config, shape.contextLength, {
    theta: DEFAULT_ROPE.theta,
    partialRotaryFactor: 1,
    whole: DEFAULT_ROPE,
    types: ["default", "llama3"],
  });
  if (rope.partialRotaryFactor !== 1) {
    config.wrong("partial_rotary_factor", "1 or absent (CWM rotates whole heads)", rope.partialRotaryFactor);
  }
  const slidingWindow = readWindow(config);
  const sliding = readLayerTypes(config, shape.layers, slidingWindow);
  if (config.has("use_sliding_window")) {
    const used = config.boolean("use_sliding_window", {
      meaning: "not read by CwmForCausalLM: layer_types decides",
    });
    if (!used && sliding.includes(true)) {
      notes.push(
        '"use_sliding_window" is false, but CwmForCausalLM does not read it: the layers slide as listed.',
      );
    }
  }
  const ids = readSpecialIds(config, shape.vocabSize, DEFAULT_IDS);
  config.recordRest(INERT);
  config.finish();
  return { ...shape, rope, slidingWindow, sliding, ...ids, entries: config.entries(), notes };
}

function readWindow(config: ConfigReader): number {
  const meaning = "positions a sliding layer sees, the current one counted; null or 0: no window anywhere";
  return config.optionalInteger("sliding_window", { meaning, fallback: DEFAULT_WINDOW, least: 0 }) ?? 0;
}

function readLayerTypes(config: ConfigReader, layers: number, window: number): boolean[] {
  const meaning = "which layers see everything and which the window only";
  const listed = config.list("layer_types", meaning);
  if (!listed) {
    const types = Array.from({ length: layers }, (_, layer) =>
      layer % DEFAULT_FULL_EVERY === 0 ? "full_attention" : "sliding_attention",
    );
    config.record("layer_types", types, "default", meaning);
    return types.map((type) => type === "sliding_attention" && window > 0);
  }
  if (listed.length !== layers) {
    config.clash("layer_types", `a list of ${layers}, one entry per layer`, listed);
  }
  return listed.map((type, layer) => {
    // "attention" is the older spelling that transformers still accepts.
    if (type === "full_attention" || type === "attention") return false;
    if (type === "sliding_attention") return window > 0;
    config.wrong(`layer_types[${layer}]`, '"full_attention" or "sliding_attention"', type);
    return false;
  });
}
