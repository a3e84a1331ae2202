import { UserError } from "../errors.js";
import { familyOfGguf } from "../families/index.js";
import { badFile, quoted } from "../formats/bad-file.js";
import type { FileStamp } from "../formats/file-stamp.js";
import type { GgufFile, GgufTensor, GgufValue } from "../formats/gguf.js";
import { bytesOf, isQuantized } from "../tensors/ggml-types.js";
import { chooseTensorTypes } from "../tensors/mixture.js";
import { outputTypeFacts, type OutputType } from "../tensors/output-type.js";
import { autoType } from "./auto-type.js";
import { refuseDepthType } from "./depth-type.js";
import type { ConversionPlan } from "./plan.js";

const SPLIT_KEYS = ["split.no", "split.count", "split.tensors.count"];

/**
 * Plans the requantisation of a GGUF file: the same tensors under the same names, in other types.
 * @param files state of the file and its parts when they were opened
 * @throws UserError UNSUPPORTED_ARCH, GGUF_HPARAM, GGUF_TENSOR_TYPE (exit 65), TYPE_NEEDED (exit 2)
 */
export function planGguf(
  source: GgufFile,
  files: readonly FileStamp[],
  options: { readonly type: OutputType | "auto"; readonly depthType?: OutputType },
): ConversionPlan {
  const architecture = stringAt(source, "general.architecture");
  const family = familyOfGguf(architecture, source.path);
  refuseDepthType(family, options.depthType);
  const type = options.type === "auto" ? autoType(family, unquantised(source)) : options.type;
  const { depthType } = options;
  const wanted = { type, ...(depthType ? { depthType } : {}) };
  const layers = countAt(source, `${architecture}.block_count`);
  // The mixtures count tensors layer after layer, whatever their order in the file.
  const ordered = source.tensors.toSorted((a, b) => layerOf(a.name) - layerOf(b.name));
  const chosen = family.chooseTypes?.(wanted, ordered) ?? chooseTensorTypes(type, ordered, layers);
  const types = new Map(ordered.map((tensor, i) => [tensor.name, chosen[i]!]));
  const metadata = new Map<string, GgufValue>(source.metadata);
  for (const key of SPLIT_KEYS) metadata.delete(key);
  metadata.set("general.file_type", { type: "uint32", value: outputTypeFacts(type).fileType });
  metadata.set("general.quantization_version", { type: "uint32", value: 2 });
  return {
    label: source.path,
    family: family.name,
    architecture,
    ...wanted,
    metadata,
    tensors: source.tensors.map((tensor) => {
      const wanted = types.get(tensor.name)!;
      // F32 among smaller types means "leave it alone": a norm, a bias, a frequency table.
      const target = wanted === "F32" && type !== "f32" ? tensor.type : wanted;
      refuseUnreadable(source.path, tensor, target);
      const elements = tensor.dims.reduce((product, size) => product * size, 1);
      const { name, offset, bytes } = tensor;
      const range = { name, offset, bytes, type: tensor.type, file: tensor.file ?? source.path };
      return {
        name,
        dims: tensor.dims,
        type: target,
        bytes: bytesOf(target, elements),
        content: { kind: "stored", ranges: [range] },
      };
    }),
    files,
    notes: [...source.notes, ...lossNotes(source)],
  };
}

/** @throws UserError TYPE_NEEDED (exit 2) when the file is quantised: which type then, only the user can say */
function unquantised(source: GgufFile): readonly GgufTensor[] {
  if (source.tensors.some((tensor) => isQuantized(tensor.type))) {
    throw new UserError(
      "usage",
      "TYPE_NEEDED",
      `${source.path} is quantised already`,
      "Say with --type which type it shall have.",
    );
  }
  return source.tensors;
}

/** Whole numbers cannot become weights of another type. */
function refuseUnreadable(file: string, tensor: GgufTensor, target: string): void {
  if (tensor.type === target || !/^(I\d+|F64)$/.test(tensor.type)) return;
  throw badFile(
    "GGUF_TENSOR_TYPE",
    file,
    `tensor ${quoted(tensor.name)} has the type ${tensor.type}, which cannot become ${target}`,
    "Convert from the checkpoint instead.",
  );
}

function lossNotes(source: GgufFile): string[] {
  const quantised = source.tensors.filter((tensor) => isQuantized(tensor.type)).length;
  if (quantised === 0) return [];
  return [
    `${quantised} of ${source.tensors.length} tensors are quantised already: the result is worse than one made ` +
      `from the checkpoint.`,
  ];
}

function layerOf(name: string): number {
  return Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
}

function stringAt(source: GgufFile, key: string): string {
  const value = source.metadata.get(key);
  if (value?.type === "string") return value.value;
  throw missingKey(source, key);
}

function countAt(source: GgufFile, key: string): number {
  const value = source.metadata.get(key);
  if (value && (value.type === "uint32" || value.type === "int32" || value.type === "uint16"))
    return value.value;
  throw missingKey(source, key);
}

function missingKey(source: GgufFile, key: string): Error {
  const hint = "The file is damaged or made by a tool that leaves this out; convert from the checkpoint.";
  return badFile("GGUF_HPARAM", source.path, `the key ${quoted(key)} is missing or has the wrong type`, hint);
}
