import os from "node:os";
import type { ModelTensor } from "./open-model.js";

/** Types that ggml stores a second time in an order its kernels like, with the rows that go together. */
type RepackedTypes = Readonly<Record<string, number>>;

/** ggml/src/ggml-cpu/repack.cpp of llama.cpp v0.5.0, for CPUs with AVX2, and for those with dot products on ARM. */
const X64: RepackedTypes = { Q4_0: 8, Q4_K: 8, IQ4_NL: 8, MXFP4: 8 };
const ARM64: RepackedTypes = { Q4_0: 4, Q4_K: 8, Q5_K: 8, Q6_K: 8, Q8_0: 4, IQ4_NL: 4, MXFP4: 4 };

/** Where the weights of a model are when it runs on the CPU, in bytes. */
export interface PlacedWeights {
  /** The part of the file that stays mapped. */
  readonly mapped: number;
  /** The copies. */
  readonly repacked: number;
}

/**
 * llama.cpp maps the file, copies what its kernels want in another order, and lets go of what lies before the first
 * and after the last tensor that was not copied.
 * @param tensors in the order of the file
 */
export function placeWeights(
  tensors: readonly ModelTensor[],
  architecture: string = os.arch(),
): PlacedWeights {
  const types = architecture === "x64" ? X64 : architecture === "arm64" ? ARM64 : {};
  const isCopied = (tensor: ModelTensor): boolean => isRepacked(tensor, types);
  const first = tensors.findIndex((tensor) => !isCopied(tensor));
  const last = tensors.findLastIndex((tensor) => !isCopied(tensor));
  return {
    mapped: sum(first < 0 ? [] : tensors.slice(first, last + 1)),
    repacked: sum(tensors.filter(isCopied)),
  };
}

/** Tables that rows are looked up in are not copied: only what is multiplied with. */
function isRepacked({ name, type, shape }: ModelTensor, types: RepackedTypes): boolean {
  const rows = types[type];
  const isMatrix = shape.length === 2 && name.endsWith(".weight") && !name.endsWith("_embd.weight");
  return rows !== undefined && isMatrix && shape[0]! % rows === 0;
}

function sum(tensors: readonly ModelTensor[]): number {
  return tensors.reduce((total, { bytes }) => total + bytes, 0);
}
