import { openFileSource, type ByteSource } from "../formats/byte-source.js";
import { badFile } from "../formats/bad-file.js";
import { bytesOf, ggmlType } from "../tensors/ggml-types.js";
import type { Quantizer } from "../tensors/quantizer.js";
import { elementDecoder } from "./decode-elements.js";
import type { ModelTensor } from "./open-model.js";
import { StatsGatherer, type TensorStats } from "./tensor-stats.js";

/** Elements held at a time: 4 MiB as float32. */
const CHUNK_ELEMENTS = 1 << 20;

export interface StatsProgress {
  readonly name: string;
  /** Absent while the tensor is being read; null where its type cannot be read. */
  readonly stats?: TensorStats | null;
  /** Bytes read since the last event. */
  readonly bytes: number;
}

/**
 * Reads tensors chunk by chunk, in the order given, and yields the numbers of each.
 * @param quantizer reads what is quantised; without it, such a tensor gives null
 * @throws UserError FILE_CHANGED (exit 65) when a file ends early, errors of openFileSource; the signal's reason
 */
export async function* streamStats(
  tensors: readonly ModelTensor[],
  quantizer: Quantizer | undefined,
  signal?: AbortSignal,
): AsyncGenerator<StatsProgress> {
  const sources = new Map<string, ByteSource>();
  try {
    for (const tensor of tensors) {
      const source = sources.get(tensor.file) ?? (await openFileSource(tensor.file));
      sources.set(tensor.file, source);
      yield* statsOf(tensor, source, quantizer, signal);
    }
  } finally {
    for (const source of sources.values()) await source.close();
  }
}

async function* statsOf(
  tensor: ModelTensor,
  source: ByteSource,
  quantizer: Quantizer | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<StatsProgress> {
  const { name } = tensor;
  const reader = readerFor(tensor, quantizer, signal);
  if (!reader) {
    yield { name, stats: null, bytes: tensor.bytes };
    return;
  }
  const gatherer = new StatsGatherer();
  for (let done = 0; done < tensor.bytes;) {
    signal?.throwIfAborted();
    const bytes = Math.min(reader.chunkBytes, tensor.bytes - done);
    const chunk = await source.read(tensor.offset + done, bytes);
    if (chunk.length < bytes)
      throw badFile(
        "FILE_CHANGED",
        tensor.file,
        "the file became shorter while it was read.",
        "Run it again.",
      );
    gatherer.add(await reader.decode(chunk));
    done += bytes;
    if (done < tensor.bytes) yield { name, bytes };
    else yield { name, bytes, stats: gatherer.result() };
  }
  if (tensor.bytes === 0) yield { name, bytes: 0, stats: gatherer.result() };
}

interface ChunkReader {
  readonly chunkBytes: number;
  readonly decode: (bytes: Uint8Array) => Promise<Float32Array | Float64Array> | Float32Array | Float64Array;
}

function readerFor(
  { type, shape }: ModelTensor,
  quantizer: Quantizer | undefined,
  signal: AbortSignal | undefined,
): ChunkReader | undefined {
  const plain = elementDecoder(type);
  if (plain) return { chunkBytes: CHUNK_ELEMENTS * plain.bytes, decode: plain.decode };
  if (!quantizer || !isGgmlType(type)) return undefined;
  const columns = shape.at(-1) ?? 1;
  const rowBytes = bytesOf(type, columns);
  return {
    chunkBytes: Math.max(1, Math.floor(CHUNK_ELEMENTS / columns)) * rowBytes,
    decode: async (bytes) => {
      const floats = await quantizer.dequantize(bytes, type, bytes.byteLength / rowBytes, columns, signal);
      return new Float32Array(floats.buffer, floats.byteOffset, floats.byteLength / 4);
    },
  };
}

function isGgmlType(name: string): boolean {
  try {
    ggmlType(name);
    return true;
  } catch {
    return false;
  }
}

/** Does reading this type need native code? */
export function needsNative(type: string): boolean {
  return elementDecoder(type) === undefined && isGgmlType(type);
}
