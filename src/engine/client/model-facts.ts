import { UserError } from "../errors.js";
import { familyOfGguf } from "../families/index.js";
import type { Family } from "../families/family.js";
import type { Classifier } from "../classify/classifier.js";
import type { SpeechDefaults } from "../families/speech-behaviour.js";
import { readGguf } from "../formats/gguf-reader.js";
import { MetadataValues } from "../formats/metadata-values.js";

/** What a text model's GGUF file says about itself, as far as running it needs to know. */
export interface ModelFacts {
  path: string;
  /** size of the file, or of all its parts */
  bytes: number;
  family: Family;
  /** transformers class, e.g. "CwmForCausalLM", when the file says */
  architecture: string | undefined;
  name: string;
  contextLength: number;
  layers: number;
  heads: number;
  hidden: number;
  vocabulary: number;
  /** sliding window in tokens; 0 = none */
  window: number;
  chatTemplate: string | undefined;
  /** control tokens: text that only the template may turn into these ids */
  specialTokens: readonly { id: number; text: string }[];
  bosTokenId: number | undefined;
  eosTokenId: number | undefined;
  bosToken: string | undefined;
  eosToken: string | undefined;
  /** every id that ends an answer */
  stopTokens: readonly number[];
  /** ids the tokenizer puts before a plain text */
  prefixTokens: readonly number[];
  /** present when the family speaks */
  speech: SpeechDefaults | undefined;
  /** sampling the checkpoint asks for; what it leaves open is absent */
  sampling: Partial<{ temperature: number; topK: number; topP: number; minP: number; repeatPenalty: number }>;
  /** present when the model ends in a classification head instead of writing text */
  classifier: Classifier | undefined;
}

/** llama.cpp's token type for control tokens (llama_token_type). */
const CONTROL = 3;

/**
 * Reads and checks a GGUF file before any native code opens it.
 * @throws UserError of the strict reader; UNSUPPORTED_ARCH; GGUF_KEY_MISSING
 */
export async function readModelFacts(path: string): Promise<ModelFacts> {
  const file = await readGguf(path, { purpose: "run" });
  const read = new MetadataValues(file.metadata);
  const arch = read.string("general.architecture") ?? "";
  const family = familyOfGguf(arch, path);
  const tokens = read.strings("tokenizer.ggml.tokens");
  const types = read.numbers("tokenizer.ggml.token_type");
  const required = (key: string): number => {
    const value = read.number(key);
    if (value !== undefined) return value;
    throw new UserError(
      "badFile",
      "GGUF_KEY_MISSING",
      `${path}: the metadata key ${key} is missing.`,
      "Convert the checkpoint again with parley convert.",
    );
  };
  const token = (key: string) => {
    const id = read.number(key);
    return id === undefined ? undefined : tokens[id];
  };
  const eos = ["eos", "eot", "eom"].map((kind) => read.number(`tokenizer.ggml.${kind}_token_id`));
  const own = read.numbers("parley.tokenizer.eos_token_ids");
  const bos = read.number("tokenizer.ggml.bos_token_id");

  return {
    path,
    bytes: file.fileSize,
    family,
    architecture: read.string("parley.architecture"),
    name: read.string("general.name") ?? arch,
    contextLength: required(`${arch}.context_length`),
    layers: required(`${arch}.block_count`),
    heads: required(`${arch}.attention.head_count`),
    hidden: required(`${arch}.embedding_length`),
    vocabulary: tokens.length,
    window: read.array(`${arch}.attention.sliding_window_pattern`).some((sliding) => sliding === true)
      ? (read.number(`${arch}.attention.sliding_window`) ?? 0)
      : 0,
    chatTemplate: read.string("tokenizer.chat_template"),
    specialTokens: tokens.flatMap((text, id) => (types[id] === CONTROL ? [{ id, text }] : [])),
    bosTokenId: bos,
    eosTokenId: read.number("tokenizer.ggml.eos_token_id"),
    bosToken: token("tokenizer.ggml.bos_token_id"),
    eosToken: token("tokenizer.ggml.eos_token_id"),
    // a file of another converter has one id of each kind; parley's own keep the checkpoint's list
    stopTokens: own.length > 0 ? own : eos.filter((id) => id !== undefined),
    prefixTokens: file.metadata.has("parley.tokenizer.prefix_token_ids")
      ? read.numbers("parley.tokenizer.prefix_token_ids")
      : read.boolean("tokenizer.ggml.add_bos_token") === true && bos !== undefined
        ? [bos]
        : [],
    speech: family.speech?.defaults(file.metadata, path),
    sampling: samplingDefaults(read),
    classifier: readClassifier(read, arch),
  };
}

function readClassifier(read: MetadataValues, arch: string): Classifier | undefined {
  const kind = read.string("parley.classifier");
  if (kind !== "sequence" && kind !== "token") return undefined;
  return {
    kind,
    labels: read.strings(`${arch}.classifier.output_labels`),
    problemType: read.string("parley.classifier.problem_type"),
    padToken: read.number("parley.classifier.pad_token_id"),
  };
}

function samplingDefaults(read: MetadataValues): ModelFacts["sampling"] {
  const keys = [
    ["temperature", "temp"],
    ["topK", "top_k"],
    ["topP", "top_p"],
    ["minP", "min_p"],
    ["repeatPenalty", "penalty_repeat"],
  ] as const;
  const found: ModelFacts["sampling"] = {};
  for (const [name, key] of keys) {
    const value = read.number(`general.sampling.${key}`);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
