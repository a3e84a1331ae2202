import type { MetadataValues } from "../formats/metadata-values.js";
import { OUTPUT_TYPES, outputTypeFacts } from "../tensors/output-type.js";
import type { ModelTensor } from "./open-model.js";

/** All tensors of one type together. */
export interface TypeShare {
  readonly type: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
}

export function elementsOf({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** By type, the one with the most bytes first. */
export function typeShares(tensors: readonly ModelTensor[]): TypeShare[] {
  const shares = new Map<string, TypeShare>();
  for (const tensor of tensors) {
    const old = shares.get(tensor.type) ?? { type: tensor.type, tensors: 0, parameters: 0, bytes: 0 };
    shares.set(tensor.type, {
      type: tensor.type,
      tensors: old.tensors + 1,
      parameters: old.parameters + elementsOf(tensor),
      bytes: old.bytes + tensor.bytes,
    });
  }
  return [...shares.values()].sort((a, b) => b.bytes - a.bytes);
}

/** Name of the whole: that of `--type` where a GGUF file says it, else the type of most bytes. */
export function typeName(shares: readonly TypeShare[], values: MetadataValues): string {
  const stated = values.number("general.file_type");
  const known = OUTPUT_TYPES.find((type) => outputTypeFacts(type).fileType === stated);
  return known ?? shares[0]?.type.toLowerCase() ?? "none";
}
