import type { CheckpointTexts, Family, ModelDescription, WantedTypes } from "../families/family.js";
import { familyOfCheckpoint, refuseForeignTensors } from "../families/index.js";
import { badFile, quoted } from "../formats/bad-file.js";
import type { Checkpoint, SourceTensor } from "../formats/checkpoint.js";
import type { GgufValue } from "../formats/gguf.js";
import { isFloatType } from "../tensors/float-convert.js";
import { bytesOf, ggmlType } from "../tensors/ggml-types.js";
import { chooseTensorTypes } from "../tensors/mixture.js";
import type { OutputType } from "../tensors/output-type.js";
import type { SourcePart, TensorRule } from "../tensors/rules.js";
import { autoType } from "./auto-type.js";
import { refuseDepthType } from "./depth-type.js";
import { generalMetadata, type Origin } from "./general-metadata.js";
import { readGenerationConfig } from "./generation-config.js";
import { matchRules } from "./match-rules.js";
import type { ConversionPlan, PlannedTensor, SourceRange, TensorContent } from "./plan.js";
import { tokenizerMetadata } from "./tokenizer/tokenizer-metadata.js";

export interface CheckpointPlanOptions {
  readonly type: OutputType | "auto";
  /** Type of the depth decoder, where it shall have another. */
  readonly depthType?: OutputType;
  /** Where the checkpoint comes from, when it is known. */
  readonly origin?: Origin;
}

/**
 * Plans the conversion of a checkpoint. Reads nothing: the weights' headers and the texts have been read.
 * @throws UserError (exit 65 or 66) for whatever is wrong with configuration, tokenizer or tensors
 */
export function planCheckpoint(
  checkpoint: Checkpoint,
  texts: CheckpointTexts,
  options: CheckpointPlanOptions,
): ConversionPlan {
  const { family, architecture } = familyOfCheckpoint(texts);
  const model = family.describe(texts, architecture);
  refuseDepthType(family, options.depthType);
  const { tensors, ...wanted } = planTensors(checkpoint, family, model, options);
  const parameters = parametersIn([...checkpoint.tensors.values()]);
  return {
    label: texts.label,
    family: family.name,
    architecture: family.ggufArchitecture,
    ...wanted,
    metadata: metadataOf(family, model, texts, wanted.type, parameters, options.origin),
    tensors,
    files: checkpoint.files,
    notes: [...checkpoint.notes, ...model.notes, ...codeNotes(model), ...ignoredNotes(checkpoint, model)],
  };
}

/**
 * The tensors that a conversion would write, in their order, and what types were chosen.
 * @throws UserError (exit 65) for tensors that do not fit the configuration
 */
export function planTensors(
  checkpoint: Checkpoint,
  family: Family,
  model: ModelDescription,
  { type: asked, depthType }: Pick<CheckpointPlanOptions, "type" | "depthType">,
): WantedTypes & { readonly tensors: readonly PlannedTensor[] } {
  refuseForeignTensors(checkpoint.folder, [...checkpoint.tensors.keys()]);
  const rules = matchRules(checkpoint.folder, checkpoint.tensors, model.tensors);
  const sources = [...checkpoint.tensors.values()].map(({ dtype, bytes }) => ({ type: dtype, bytes }));
  const type = asked === "auto" ? autoType(family, sources) : asked;
  const wanted = { type, ...(depthType ? { depthType } : {}) };
  const contents = [
    ...model.tensors.generated.map(({ target, shape, data }) => ({
      name: target,
      dims: shape.toReversed(),
      content: { kind: "generated", data } as const,
    })),
    ...rules.map((rule) => ({
      name: rule.target,
      dims: rule.shape.toReversed(),
      content: contentOf(rule, checkpoint.tensors),
    })),
  ];
  return { ...wanted, tensors: withTypes(family, model.layers, wanted, contents) };
}

function contentOf(rule: TensorRule, tensors: ReadonlyMap<string, SourceTensor>): TensorContent {
  const ranges = rule.from.map((part) => rangeOf(part, tensors.get(part.name)!));
  return rule.compute ? { kind: "computed", ranges, compute: rule.compute } : { kind: "stored", ranges };
}

function rangeOf(
  { rows }: SourcePart,
  { name, dtype, file, offset, bytes, shape }: SourceTensor,
): SourceRange {
  if (!isFloatType(dtype)) throw noWeights(name, dtype, file);
  const rowBytes = bytes / (shape[0] ?? 1);
  return {
    name,
    file,
    type: dtype,
    offset: offset + (rows?.first ?? 0) * rowBytes,
    bytes: rows ? rows.count * rowBytes : bytes,
  };
}

function noWeights(name: string, dtype: string, file: string): Error {
  return badFile(
    "ST_DTYPE_UNSUPPORTED",
    file,
    `tensor ${quoted(name)} has the type ${dtype}, weights are F32, F16 or BF16`,
    "Look for a checkpoint of the same model in float32, float16 or bfloat16.",
  );
}

function withTypes(
  family: Family,
  layers: number,
  wanted: WantedTypes,
  tensors: readonly Pick<PlannedTensor, "name" | "dims" | "content">[],
): PlannedTensor[] {
  const types = family.chooseTypes?.(wanted, tensors) ?? chooseTensorTypes(wanted.type, tensors, layers);
  return tensors.map((tensor, i) => {
    const chosen = types[i]!;
    const elements = tensor.dims.reduce((product, size) => product * size, 1);
    return { ...tensor, type: ggmlType(chosen).name, bytes: bytesOf(chosen, elements) };
  });
}

function metadataOf(
  family: Family,
  model: ModelDescription,
  texts: CheckpointTexts,
  type: OutputType,
  parameters: number,
  origin: Origin | undefined,
): Map<string, GgufValue> {
  const generation = readGenerationConfig(texts);
  const eosTokenIds =
    generation.eosTokenIds.length > 0 ? generation.eosTokenIds : model.tokenizer.eosTokenIds;
  return new Map([
    ...generalMetadata({ family, architecture: model.architecture, texts, type, parameters, origin }),
    ...generation.metadata,
    ...model.metadata,
    ...tokenizerMetadata(texts, { ...model.tokenizer, eosTokenIds }),
  ]);
}

function parametersIn(tensors: readonly SourceTensor[]): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

function codeNotes(model: ModelDescription): string[] {
  if (!model.config.some((entry) => entry.key === "auto_map")) return [];
  return ["The checkpoint comes with Python code of its own (auto_map); parley never runs it."];
}

function ignoredNotes(checkpoint: Checkpoint, model: ModelDescription): string[] {
  const left = model.tensors.ignored.filter(({ name }) => checkpoint.tensors.has(name));
  const [first] = left;
  if (!first) return [];
  const shown = left.slice(0, 3).map(({ name }) => name);
  const more = left.length > shown.length ? ` and ${left.length - shown.length} more` : "";
  return [`Left out, because ${first.reason}: ${shown.join(", ")}${more}.`];
}
