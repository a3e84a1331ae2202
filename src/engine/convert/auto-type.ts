import type { Family } from "../families/family.js";
import type { OutputType } from "../tensors/output-type.js";

/** From this size of the weights on, `--type auto` quantises. In bytes. */
const AUTO_QUANTISE_BYTES = 2e9;

/** Element type and size of a source tensor. */
export interface SourceBytes {
  /** ggml type name. */
  readonly type: string;
  readonly bytes: number;
}

/** What `--type auto` means: the float type most of the weights have already, or the family's choice for large ones. */
export function autoType(family: Family, tensors: readonly SourceBytes[]): OutputType {
  const total = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  if (total >= AUTO_QUANTISE_BYTES) return family.autoType;
  const bytesOf = (type: string): number =>
    tensors.reduce((sum, tensor) => sum + (tensor.type === type ? tensor.bytes : 0), 0);
  const [likeliest] = (["bf16", "f16", "f32"] as const)
    .map((type) => ({ type, bytes: bytesOf(type.toUpperCase()) }))
    .sort((a, b) => b.bytes - a.bytes);
  return likeliest!.type;
}
