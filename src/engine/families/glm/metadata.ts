import type { GgufValue } from "../../formats/gguf.js";
import { decoderMetadata } from "../decoder-metadata.js";
import type { GlmConfig } from "./config.js";

/**
 * Metadata under `chatglm.`, from the configuration. convert_hf_to_gguf.py is no model here: for this layout it
 * writes a wrong norm epsilon, context length, RoPE base and rotary width.
 */
export function glmMetadata(config: GlmConfig, architecture: string): Map<string, GgufValue> {
  const metadata = decoderMetadata("chatglm", config, config.rotated, config.rope.theta);
  if (config.labels.length > 0) {
    metadata.set("chatglm.classifier.output_labels", { type: "array", of: "string", value: config.labels });
    const kind = architecture === "GlmForTokenClassification" ? "token" : "sequence";
    metadata.set("parley.classifier", { type: "string", value: kind });
    if (config.problemType !== undefined) {
      metadata.set("parley.classifier.problem_type", { type: "string", value: config.problemType });
    }
    // not tokenizer.ggml.padding_token_id: that may come from the tokenizer, and the reference pools without it
    if (config.padTokenId !== undefined) {
      metadata.set("parley.classifier.pad_token_id", { type: "uint32", value: config.padTokenId });
    }
  }
  return metadata;
}
