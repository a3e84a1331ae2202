import { cacheCells, cacheSize, type CacheType } from "./cache-size.js";
import { computeBufferBytes } from "./compute-buffer.js";
import { readAttention, readDecoderSizes } from "./decoder-sizes.js";
import type { ModelTensor } from "./open-model.js";
import { placeWeights } from "./repacked-weights.js";
import type { KnownModel } from "./understand.js";

export interface MemoryOptions {
  /** Context lengths in tokens. */
  readonly contexts: readonly number[];
  readonly cacheType: CacheType;
  readonly sliding: "window" | "whole";
  /** Tokens per evaluation. */
  readonly batch: number;
  /** Layers on a GPU, the last ones first, the output after the last layer counted as one. */
  readonly gpuLayers: number;
}

/** What a model takes with one context length, in bytes. */
export interface MemoryRow {
  readonly context: number;
  /** Mapped from the file, or on the GPU. */
  readonly weights: number;
  /** Copies of weights in the order that the CPU's kernels like. */
  readonly repacked: number;
  readonly cache_full: number;
  readonly cache_sliding: number;
  readonly compute: number;
  /** Node and the libraries of the engine process. */
  readonly process: number;
  readonly total: number;
  /** What of `weights` and the cache lies on the GPU, and the compute buffers; part of the sums above. */
  readonly gpu: number;
}

export interface MemoryEstimate {
  readonly type: string;
  readonly kv_type: CacheType;
  readonly swa_full: boolean;
  readonly gpu_layers: number;
  readonly rows: readonly MemoryRow[];
}

/** Resident memory of an engine process that has loaded a model of a megabyte. */
const PROCESS_BYTES = 120e6;

/** Positions of a prompt that the speech library reads at once (speech-session.cpp). */
const SPEECH_BATCH = 128;

/**
 * Estimates what running a model takes. The weights are given apart, because those of a checkpoint are what its
 * conversion would write.
 */
export function estimateMemory(
  model: KnownModel,
  weights: { readonly tensors: readonly ModelTensor[]; readonly type: string },
  { contexts, cacheType, sliding, batch, gpuLayers }: MemoryOptions,
): MemoryEstimate {
  const prefix = `${model.family.ggufArchitecture}.`;
  const sizes = readDecoderSizes(model.values, prefix);
  const attention = readAttention(model.values, prefix, sizes.layers ?? 0);
  const vocabulary = outputRows(weights.tensors);
  const layers = sizes.layers ?? 0;
  const onGpu = (name: string): boolean => layerOf(name, layers) > layers - gpuLayers;
  // The speech library packs weights too, but gives back what it has copied.
  const isSpeech = model.family.parts !== undefined;
  const gpuWeights = sum(weights.tensors.filter(({ name }) => onGpu(name)));
  const onCpu = weights.tensors.filter(({ name }) => !onGpu(name));
  const { mapped, repacked } = isSpeech ? { mapped: sum(onCpu), repacked: 0 } : placeWeights(onCpu);
  const weightBytes = mapped + gpuWeights;
  const rows = contexts.map((context): MemoryRow => {
    const options = { type: cacheType, sliding, batch: Math.min(isSpeech ? SPEECH_BATCH : batch, context) };
    const cache = cacheSize(sizes, attention, context, options);
    const held = { ...attention, layers: attention.layers.slice(Math.max(0, layers + 1 - gpuLayers)) };
    const compute = computeBufferBytes(sizes, attention, {
      cells: cacheCells(attention, context, options),
      batch: options.batch,
      flashAttention: cacheType === "f32" ? "off" : "on",
      vocabulary,
    });
    return {
      context,
      weights: weightBytes,
      repacked,
      cache_full: cache.full,
      cache_sliding: cache.sliding,
      compute,
      process: PROCESS_BYTES,
      total: weightBytes + repacked + cache.total + compute + PROCESS_BYTES,
      gpu: gpuLayers === 0 ? 0 : gpuWeights + cacheSize(sizes, held, context, options).total + compute,
    };
  });
  return {
    type: weights.type,
    kv_type: cacheType,
    swa_full: sliding === "whole",
    gpu_layers: gpuLayers,
    rows,
  };
}

/** Layers count from 1; what comes after them is one more, what comes before them 0. */
function layerOf(name: string, layers: number): number {
  const layer = /^blk\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return Number(layer) + 1;
  return name.startsWith("output") ? layers + 1 : 0;
}

/** Numbers per position that the model gives: rows of its head, or of the embedding where that is the head. */
function outputRows(tensors: readonly ModelTensor[]): number {
  const find = (wanted: string): number | undefined => tensors.find(({ name }) => name === wanted)?.shape[0];
  return find("output.weight") ?? find("cls.output.weight") ?? find("token_embd.weight") ?? 0;
}

function sum(tensors: readonly ModelTensor[]): number {
  return tensors.reduce((total, { bytes }) => total + bytes, 0);
}
