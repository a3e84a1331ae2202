import { withModel, type ModelTensor } from "../inspect/open-model.js";
import { runningWeights } from "../inspect/running-weights.js";
import { understand } from "../inspect/understand.js";

/** The tensors of a GGUF file, and what kind of weights they are. */
export interface Weights {
  /** output type of the file, e.g. "q8_0" */
  readonly type: string;
  readonly tensors: readonly ModelTensor[];
}

/** Reads the headers of a GGUF file. */
export async function openWeights(path: string, signal: AbortSignal): Promise<Weights> {
  return withModel(path, { offline: true, signal }, (open) =>
    Promise.resolve(runningWeights(understand(open), "auto")),
  );
}

/**
 * Bytes of weights, as the file has them, that a text model reads for each token it writes: all, but of the embedding
 * table one row. A table that is the output matrix as well (there is no output.weight) is read whole.
 */
export function bytesPerToken(tensors: readonly ModelTensor[]): number {
  const isTied = !tensors.some(({ name }) => name === "output.weight");
  return tensors.reduce((sum, { name, bytes, shape }) => {
    const isLookedUp = name === "token_embd.weight" && !isTied;
    return sum + (isLookedUp ? bytes / (shape[0] ?? 1) : bytes);
  }, 0);
}

/**
 * Bytes of weights, as the file has them, that the two networks of a speech model read for each frame: the backbone
 * once, the depth decoder once per codebook but the first, its heads once each. Mimi is not counted, and neither are
 * embedding rows.
 * @param codebooks codes of a frame
 */
export function bytesPerFrame(tensors: readonly ModelTensor[], codebooks: number): number {
  return tensors.reduce((sum, { name, bytes }) => {
    if (/^(blk\.\d+\..+|output|output_norm|depth\.output\.\d+)\.weight$/.test(name)) return sum + bytes;
    const isDepth = /^depth\.(blk\.\d+\..+|proj|output_norm)\.weight$/.test(name);
    return isDepth ? sum + bytes * (codebooks - 1) : sum;
  }, 0);
}
