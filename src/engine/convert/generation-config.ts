import { ConfigReader } from "../families/config-reader.js";
import type { CheckpointTexts } from "../families/family.js";
import type { GgufValue } from "../formats/gguf.js";
import { parseStrictJson, type JsonObject } from "../formats/strict-json.js";

/** What generation_config.json says. */
export interface GenerationConfig {
  /** Ids that end an answer; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
  /** `general.sampling.*`, the keys llama.cpp v0.5.0 reads as defaults. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

/** [key in generation_config.json, key in GGUF, type]; as gguf-py of llama.cpp v0.5.0 maps them (metadata.py). */
const SAMPLING = [
  ["top_k", "general.sampling.top_k", "int32"],
  ["top_p", "general.sampling.top_p", "float32"],
  ["min_p", "general.sampling.min_p", "float32"],
  ["temperature", "general.sampling.temp", "float32"],
  ["repetition_penalty", "general.sampling.penalty_repeat", "float32"],
] as const;

/**
 * Reads generation_config.json; a checkpoint without one has no defaults.
 * @throws UserError CONFIG_JSON, CONFIG_VALUE (exit 65)
 */
export function readGenerationConfig(texts: CheckpointTexts): GenerationConfig {
  const text = texts.text("generation_config.json");
  const metadata = new Map<string, GgufValue>();
  if (text === undefined) return { eosTokenIds: [], metadata };
  const file = `${texts.label}/generation_config.json`;
  const object = parseStrictJson(text, {
    file,
    code: "CONFIG_JSON",
    hint: "Download generation_config.json again.",
  });
  const config = new ConfigReader(object instanceof Map ? (object as JsonObject) : new Map(), file);
  for (const [from, to, type] of SAMPLING) {
    if (!config.has(from)) continue;
    const meaning = "default for sampling";
    const value =
      type === "int32" ? config.integer(from, { meaning, least: 0 }) : config.number(from, { meaning });
    metadata.set(to, { type, value });
  }
  // Greedy decoding is what transformers does then, whatever temperature stands beside it.
  if (config.has("do_sample") && !config.boolean("do_sample", { meaning: "sample or take the likeliest" })) {
    metadata.set("general.sampling.temp", { type: "float32", value: 0 });
  }
  const eosTokenIds = config.ids("eos_token_id", "each of these ids ends an answer");
  config.finish();
  return { eosTokenIds, metadata };
}
