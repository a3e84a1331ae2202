import { readGenerationConfig } from "../convert/generation-config.js";
import { licenceMetadata } from "../convert/model-card.js";
import type { Family, ModelDescription } from "../families/family.js";
import { familyOfCheckpoint, familyOfGguf } from "../families/index.js";
import { badFile } from "../formats/bad-file.js";
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
 * @throws UserError UNSUPPORTED_ARCH, LIMIT_LAYERS, CONFIG_JSON, CONFIG_VALUE (exit 65), CONFIG_MISSING (exit 66)
 */
export function understand(model: OpenModel): KnownModel {
  if (model.gguf) {
    const values = new MetadataValues(model.gguf.metadata);
    const family = familyOfGguf(values.string("general.architecture") ?? "", model.label);
    refuseManyLayers(values, family, model.label);
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

/** As for a configuration: more cannot run, and lists of that length would fill the memory. */
const MAX_LAYERS = 512;

function refuseManyLayers(values: MetadataValues, family: Family, file: string): void {
  const prefixes = family.parts?.map(({ metadata }) => metadata) ?? [`${family.ggufArchitecture}.`];
  for (const key of prefixes.map((prefix) => `${prefix}block_count`)) {
    const layers = values.number(key) ?? 0;
    if (Number.isInteger(layers) && layers >= 0 && layers <= MAX_LAYERS) continue;
    const fault = `${key} is ${layers}, expected a whole number up to ${MAX_LAYERS}.`;
    throw badFile("LIMIT_LAYERS", file, fault, "Convert the model again with `parley convert`.");
  }
}
