import type { CheckpointTexts } from "../families/family.js";
import type { GgufFile } from "../formats/gguf.js";
import { MetadataValues } from "../formats/metadata-values.js";

const KEYS: Readonly<Record<string, string>> = {
  "config.json": "parley.config.json",
  "generation_config.json": "parley.generation_config.json",
  "chat_template.jinja": "tokenizer.chat_template",
};

/** The text files of a checkpoint, as far as its GGUF file keeps them. */
export function textsInGguf(file: GgufFile): CheckpointTexts {
  const values = new MetadataValues(file.metadata);
  return {
    label: file.path,
    text: (name) => (Object.hasOwn(KEYS, name) ? values.string(KEYS[name]!) : undefined),
  };
}
