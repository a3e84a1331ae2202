import { readGenerationConfig } from "../convert/generation-config.js";
import { licenceMetadata } from "../convert/model-card.js";
import type { Family, ModelDescription } from "../families/family.js";
import { familyOfCheckpoint, familyOfGguf } from "../families/index.js";
import type { GgufValue } from "../formats/gguf.js";
import { MetadataValues } from "../formats/metadata-values.js";
import type { OpenModel } from "./open-model.js";

/** A model whose family is known. */
export interface KnownModel extends OpenModel {
  readonly family: Family;
  /** transformers class; undefined for a GGUF file that does not say. */
  readonly architecture: string | undefined;
  /** What the configuration says; undefined for a GGUF file of another tool, which does not keep it. */
  readonly description: ModelDescription | undefined;
  /** Metadata as a GGUF file of the model holds it, or would hold it. */
  readonly values: MetadataValues;
}

/**
 * Finds the family and reads the configuration.
 * @throws UserError UNSUPPORTED_ARCH, CONFIG_JSON, CONFIG_VALUE (exit 65), CONFIG_MISSING (exit 66)
 */
export function understand(model: OpenModel): KnownModel {
  if (model.gguf) {
    const values = new MetadataValues(model.gguf.metadata);
    const family = familyOfGguf(values.string("general.architecture") ?? "", model.label);
    const hasConfig = model.texts.text("config.json") !== undefined;
    const known = hasConfig ? familyOfCheckpoint(model.texts) : undefined;
    const architecture = known?.architecture ?? values.string("parley.architecture");
    // A config.json of another family in a GGUF file would be a forgery; the tensors decide.
    const description =
      known?.family === family ? family.describe(model.texts, known.architecture) : undefined;
    return { ...model, family, architecture, description, values };
  }
  const { family, architecture } = familyOfCheckpoint(model.texts);
  const description = family.describe(model.texts, architecture);
  const metadata = new Map<string, GgufValue>([
    ...licenceMetadata(model.texts),
    ...readGenerationConfig(model.texts).metadata,
    ...description.metadata,
  ]);
  const notes = [...model.notes, ...description.notes];
  return { ...model, family, architecture, description, notes, values: new MetadataValues(metadata) };
}
