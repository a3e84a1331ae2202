import { ConfigReader } from "../config-reader.js";
import type { CheckpointTexts } from "../family.js";
import type { GgufValue } from "../../formats/gguf.js";
import { parseStrictJson, type JsonObject } from "../../formats/strict-json.js";

/**
 * What generation_config.json says of the depth decoder and of the length of an utterance; the backbone's sampling
 * is in `general.sampling.`. A depth decoder that does not sample has temperature 0.
 * @throws UserError CONFIG_JSON, CONFIG_VALUE (exit 65)
 */
export function samplingMetadata(texts: CheckpointTexts): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  const text = texts.text("generation_config.json");
  if (text === undefined) return metadata;
  const file = `${texts.label}/generation_config.json`;
  const hint = "Download generation_config.json again.";
  const object = parseStrictJson(text, { file, code: "CONFIG_JSON", hint });
  const config = new ConfigReader(object instanceof Map ? (object as JsonObject) : new Map(), file);
  const meaning = "default for sampling";
  if (config.has("max_new_tokens")) {
    const value = config.integer("max_new_tokens", { meaning: "most frames of an utterance" });
    metadata.set("csm.max_frames", { type: "uint32", value });
  }
  const samples = config.boolean("depth_decoder_do_sample", { meaning, fallback: false });
  const temperature = samples ? config.number("depth_decoder_temperature", { meaning, fallback: 1 }) : 0;
  metadata.set("csm.depth.sampling.temp", { type: "float32", value: temperature });
  // 50 is the default of transformers' GenerationConfig.
  const topK = config.integer("depth_decoder_top_k", { meaning, fallback: 50, least: 0 });
  metadata.set("csm.depth.sampling.top_k", { type: "int32", value: topK });
  config.finish();
  return metadata;
}
