import type { ConfigEntry } from "../families/family.js";

/** A value of the configuration under the name that transformers 5 gives it. */
export interface ConfigRow {
  /** With the part before it: "depth_decoder_config.rope_parameters.rope_theta". */
  readonly key: string;
  readonly value: unknown;
  readonly origin: ConfigEntry["origin"];
  readonly meaning: string;
}

/** Parts of a configuration that are configurations themselves. */
const PART = /^(?:depth_decoder_config|codec_config)\./;

/** Older names and places of keys, and where transformers 5 keeps them. */
const MOVED: Readonly<Record<string, string>> = {
  torch_dtype: "dtype",
  rope_theta: "rope_parameters.rope_theta",
  rope_type: "rope_parameters.rope_type",
  original_max_position_embeddings: "rope_parameters.original_max_position_embeddings",
  // The class of GLM keeps a copy beside the parameters; what counts is inside.
  partial_rotary_factor: "rope_parameters.partial_rotary_factor",
};

/**
 * The configuration in one form, whichever layout the file has. Of a key that two places give, the one that was
 * read first counts: that is the one that is used.
 */
export function configTable(entries: readonly ConfigEntry[]): ConfigRow[] {
  const rows = new Map<string, ConfigRow>();
  for (const entry of entries) {
    const part = PART.exec(entry.key)?.[0] ?? "";
    const rest = entry.key.slice(part.length);
    // The names of the classes stand in one list as well.
    if (rest.startsWith("id2label.")) continue;
    // CSM's older name of its audio vocabulary; the codec has a codebook_size that means what it says.
    const isAlias = rest === "codebook_size" && part !== "codec_config.";
    const key = part + (isAlias ? "vocab_size" : canonical(rest));
    if (rows.has(key)) continue;
    rows.set(key, { key, value: entry.value, origin: entry.origin, meaning: entry.meaning });
  }
  return [...rows.values()];
}

function canonical(key: string): string {
  const moved = MOVED[key];
  if (moved !== undefined) return moved;
  const inner = key.replace(/^rope_scaling\./, "rope_parameters.");
  return inner === "rope_parameters.type" ? "rope_parameters.rope_type" : inner;
}
