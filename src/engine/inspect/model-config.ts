import type { MetadataValues } from "../formats/metadata-values.js";
import { configTable, type ConfigRow } from "./config-table.js";
import type { KnownModel } from "./understand.js";

/** The configuration of a model, and how much of it the files tell. */
export interface ModelConfig {
  readonly rows: readonly ConfigRow[];
  /** "metadata": a GGUF file of another tool, which keeps the sizes and not the configuration itself. */
  readonly from: "config" | "metadata";
}

/** Every value of the configuration, in the names of transformers 5. */
export function modelConfig(model: KnownModel): ModelConfig {
  if (model.description) return { rows: configTable(model.description.config), from: "config" };
  return { rows: rowsOfMetadata(model.values, `${model.family.ggufArchitecture}.`), from: "metadata" };
}

/** [key in GGUF, key in the configuration, meaning] */
const KEYS = [
  ["vocab_size", "vocab_size", "number of token ids, rows of the embedding"],
  ["embedding_length", "hidden_size", "width of the residual stream"],
  ["feed_forward_length", "intermediate_size", "width of the feed-forward layers"],
  ["block_count", "num_hidden_layers", "number of decoder layers"],
  ["attention.head_count", "num_attention_heads", "attention heads per layer"],
  ["attention.head_count_kv", "num_key_value_heads", "key and value heads per layer"],
  ["attention.key_length", "head_dim", "width of one attention head"],
  ["context_length", "max_position_embeddings", "longest context in tokens"],
  [
    "attention.layer_norm_rms_epsilon",
    "rms_norm_eps",
    "added to the mean square before the root in RMS norms",
  ],
  ["rope.freq_base", "rope_parameters.rope_theta", "base of the rotary wavelengths"],
  ["attention.sliding_window", "sliding_window", "positions a sliding layer sees, the current one counted"],
] as const;

function rowsOfMetadata(values: MetadataValues, prefix: string): ConfigRow[] {
  const rows = KEYS.flatMap(([from, key, meaning]): ConfigRow[] => {
    const value = values.number(prefix + from);
    // float32 in the file: 1e-5 is what was meant by 0.0000099999997.
    return value === undefined ? [] : [{ key, value: Number(value.toPrecision(7)), origin: "file", meaning }];
  });
  const pattern = values.array(`${prefix}attention.sliding_window_pattern`);
  if (pattern.length === 0) return rows;
  const value = pattern.map((slides) => (slides === true ? "sliding_attention" : "full_attention"));
  const meaning = "which layers see everything and which the window only";
  return [...rows, { key: "layer_types", value, origin: "file", meaning }];
}
