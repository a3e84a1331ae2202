import os from "node:os";
import type { ModelTensor } from "./open-model.js";

/** Types that ggml stores a second time in an order its kernels like, with the rows that go together. */
type RepackedTypes = Readonly<Record<string, number>>;

/** ggml/src/ggml-cpu/repack.cpp of llama.cpp v0.5.0, for CPUs with AVX2, and for those with dot products on ARM. */
const X64: RepackedTypes = { Q4_0: 8, Q4_K: 8, IQ4_NL: 8, MXFP4: 8 };
const ARM64: RepackedTypes = { Q4_0: 4, Q4_K: 8, Q5_K: 8, Q6_K: 8, Q8_0: 4, IQ4_NL: 4, MXFP4: 4 };

/** Bytes of the copies. Tables that rows are looked up in have none: only what is multiplied with. */
export function repackedBytes(tensors: readonly ModelTensor[], architecture: string = os.arch()): number {
  const types = architecture === "x64" ? X64 : architecture === "arm64" ? ARM64 : {};
  return tensors
    .filter(({ name, type, shape }) => {
      const rows = types[type];
      const isMatrix = shape.length === 2 && name.endsWith(".weight") && !name.endsWith("_embd.weight");
      return rows !== undefined && isMatrix && shape[0]! % rows === 0;
    })
    .reduce((sum, tensor) => sum + tensor.bytes, 0);
}
