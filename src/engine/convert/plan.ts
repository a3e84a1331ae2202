import type { FileStamp } from "../formats/file-stamp.js";
import type { GgufTensorInfo, GgufValue } from "../formats/gguf.js";
import type { OutputType } from "../tensors/output-type.js";

/** A run of elements in a source file. */
export interface SourceRange {
  /** Name of the tensor in the source. */
  readonly name: string;
  readonly file: string;
  /** Position of the first byte, counted from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** ggml type of the elements. */
  readonly type: string;
}

/** Where the elements of an output tensor come from. */
export type TensorContent =
  /** The ranges follow each other; only the element type changes. */
  | { readonly kind: "stored"; readonly ranges: readonly SourceRange[] }
  /** The elements are made from the ranges' elements, all in memory. */
  | {
      readonly kind: "computed";
      readonly ranges: readonly SourceRange[];
      readonly compute: (parts: readonly Float32Array[]) => Float32Array;
    }
  /** The elements follow from the configuration. */
  | { readonly kind: "generated"; readonly data: Float32Array };

/** A tensor of the output: name, ggml dims, ggml type and exact bytes, and where it comes from. */
export interface PlannedTensor extends GgufTensorInfo {
  readonly content: TensorContent;
}

/**
 * Everything a conversion will do, decided before the first byte is written. Pure data: the same source and
 * options give the same plan and the same output bytes.
 */
export interface ConversionPlan {
  /** How messages name the source. */
  readonly label: string;
  /** Name of the model's family. */
  readonly family: string;
  /** `general.architecture` of the output. */
  readonly architecture: string;
  readonly type: OutputType;
  /** Of the depth decoder, where it was asked for apart. */
  readonly depthType?: OutputType;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of the output. */
  readonly tensors: readonly PlannedTensor[];
  /** Source files; they must not change while the conversion runs. */
  readonly files: readonly FileStamp[];
  readonly notes: readonly string[];
}

/** Does the conversion need native code, because a tensor is quantised or comes quantised? */
export function needsQuantizer(plan: ConversionPlan): boolean {
  return plan.tensors.some((tensor) => tensorNeedsQuantizer(tensor));
}

/** Does this tensor change its type from or to a quantised one? */
function tensorNeedsQuantizer(tensor: PlannedTensor): boolean {
  if (tensor.content.kind === "generated") return false;
  const isFloat = (type: string): boolean => type === "F32" || type === "F16" || type === "BF16";
  const sources = tensor.content.ranges.map((range) => range.type);
  if (tensor.content.kind === "stored" && sources.every((type) => type === tensor.type)) return false;
  return !isFloat(tensor.type) || !sources.every(isFloat);
}
