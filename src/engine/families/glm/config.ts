import { ConfigReader } from "../config-reader.js";
import { readConfigObject, readDecoderShape, type DecoderShape } from "../common-config.js";
import { inertKeys } from "../inert-keys.js";
import { readSpecialIds, type SpecialIds } from "../special-ids.js";
import type { CheckpointTexts, ConfigEntry } from "../family.js";
import { readRope, type Rope } from "../rope.js";

export interface GlmConfig extends DecoderShape, SpecialIds {
  readonly rope: Rope;
  /** Elements of each head that are rotated. */
  readonly rotated: number;
  /** Do q, k and v have biases? The output projection never has one. */
  readonly attentionBias: boolean;
  /** Names of the classes, by class number; empty for a model that writes text. */
  readonly labels: readonly string[];
  /** How scores follow from a classifier's logits; undefined when the configuration leaves it to their number. */
  readonly problemType: ProblemType | undefined;
  /** Does the head for token classification have a bias? */
  readonly tokenHeadBias: boolean;
  readonly entries: readonly ConfigEntry[];
}

const PROBLEM_TYPES = ["regression", "single_label_classification", "multi_label_classification"] as const;
type ProblemType = (typeof PROBLEM_TYPES)[number];

/** Defaults of GlmConfig in transformers 5.18. */
const DEFAULTS: DecoderShape = {
  vocabSize: 151552,
  hiddenSize: 4096,
  intermediateSize: 13696,
  layers: 40,
  heads: 32,
  keyValueHeads: 2,
  headDim: 128,
  contextLength: 131072,
  rmsNormEps: 1.5625e-7,
  tiedEmbeddings: false,
};
const DEFAULT_IDS: SpecialIds = {
  bosTokenId: undefined,
  padTokenId: 151329,
  eosTokenIds: [151329, 151336, 151338],
};

const INERT = inertKeys("glm");

/**
 * Reads the config.json of a GLM checkpoint in the layout of transformers 4 or 5.
 * @param architecture "GlmForCausalLM" or one of the two classification classes
 * @throws UserError CONFIG_JSON, CONFIG_VALUE, LIMIT_LAYERS (exit 65)
 */
export function readGlmConfig(texts: CheckpointTexts, architecture: string): GlmConfig {
  const { file, object } = readConfigObject(texts);
  const config = new ConfigReader(object, file);
  const shape = readDecoderShape(config, DEFAULTS);
  config.choice("hidden_act", ["silu"], { meaning: "activation of the feed-forward gate", fallback: "silu" });
  const attentionBias = config.boolean("attention_bias", { meaning: "biases on q, k and v", fallback: true });
  const rope = readRope(config, shape.contextLength, {
    theta: 10000,
    partialRotaryFactor: 0.5,
    types: ["default"],
  });
  const rotated = Math.floor(shape.headDim * rope.partialRotaryFactor);
  if (rotated === 0 || rotated % 2 !== 0) {
    config.clash(
      "partial_rotary_factor",
      `such that it rotates an even number of the ${shape.headDim} elements of a head`,
      rope.partialRotaryFactor,
    );
  }
  const labels = architecture === "GlmForCausalLM" ? [] : readLabels(config);
  const problemType = architecture === "GlmForCausalLM" ? undefined : readProblemType(config);
  const tokenHeadBias =
    architecture === "GlmForTokenClassification" &&
    config.boolean("token_classification_bias", {
      meaning: "bias of the classification head",
      fallback: true,
    });
  const ids = readSpecialIds(config, shape.vocabSize, DEFAULT_IDS);
  config.recordRest(INERT);
  config.finish();
  const entries = config.entries();
  return { ...shape, rope, rotated, attentionBias, labels, problemType, tokenHeadBias, ...ids, entries };
}

function readProblemType(config: ConfigReader): ProblemType | undefined {
  const meaning = "how scores follow from logits; null: by the number of classes";
  if (config.has("problem_type")) return config.choice("problem_type", PROBLEM_TYPES, { meaning });
  config.record("problem_type", null, config.isNull("problem_type") ? "file" : "default", meaning);
  return undefined;
}

/** `id2label`, or `num_labels` names of the kind transformers makes up. Two classes when neither is there. */
function readLabels(config: ConfigReader): string[] {
  const names = config.nested("id2label");
  if (!names) {
    const count = config.integer("num_labels", { meaning: "number of classes", fallback: 2, most: 65536 });
    const labels = Array.from({ length: count }, (_, label) => `LABEL_${label}`);
    config.record("id2label", labels, "derived", "names of the classes");
    return labels;
  }
  if (names.size === 0) config.wrong("id2label", "an object with one name per class", new Map());
  const labels = Array.from({ length: names.size }, (_, label) =>
    names.string(String(label), { meaning: "name of this class" }),
  );
  config.record("id2label", labels, "file", "names of the classes");
  return labels;
}
