import { cacheSize } from "./cache-size.js";
import { readAttention, readDecoderSizes, type AttentionLayout, type DecoderSizes } from "./decoder-sizes.js";
import { describeParts, type PartOverview } from "./parts.js";
import { readTexts, type TextFacts } from "./text-facts.js";
import { elementsOf, typeName, typeShares, type TypeShare } from "./tensor-types.js";
import type { KnownModel } from "./understand.js";

/** Cache of one context length, with float16 keys and values. */
export interface CacheRow {
  readonly tokens: number;
  /** With small caches for sliding layers, as chat runs them. */
  readonly bytes: number;
  /** Were every layer a full one. */
  readonly bytes_without_window: number;
}

/** All that `parley inspect MODEL` shows; the document of `--json`. */
export interface Overview extends TextFacts {
  readonly model: string;
  readonly revision: string | null;
  readonly name: string;
  readonly format: "gguf" | "safetensors";
  readonly family: string;
  readonly family_title: string;
  /** transformers class. */
  readonly architecture: string | null;
  readonly parameters: number;
  /** Of the files, headers included. */
  readonly bytes: number;
  readonly files: number;
  readonly tensors: number;
  readonly type: string;
  readonly types: readonly TypeShare[];
  readonly sizes: DecoderSizes & { readonly vocabulary: number | null };
  readonly rope: {
    readonly theta: number | null;
    readonly rotated: number | null;
    readonly scaling: string | null;
  };
  readonly attention: AttentionLayout;
  readonly cache: readonly CacheRow[];
  /** Empty for a model of one part. */
  readonly parts: readonly PartOverview[];
  readonly notes: readonly string[];
}

/** Context lengths that the page shows a cache for, as far as the model has them. */
const SHOWN_CONTEXTS = [8192, 32_768, 131_072];
/** Tokens per evaluation: 512, as chat has it, and the one that node-llama-cpp adds where layers slide. */
export const BATCH = 513;

export function overviewOf(model: KnownModel): Overview {
  const { family, values } = model;
  const prefix = `${family.ggufArchitecture}.`;
  const sizes = readDecoderSizes(values, prefix);
  const attention = readAttention(values, prefix, sizes.layers ?? 0);
  const types = typeShares(model.tensors);
  const vocabulary =
    values.number(`${prefix}vocab_size`) ??
    (values.array("tokenizer.ggml.tokens").length || model.description?.tokenizer.vocabSize);
  return {
    model: model.origin?.repo ?? model.label,
    revision: model.origin?.revision ?? null,
    name: values.string("general.name") ?? nameOf(model),
    format: model.format,
    family: family.name,
    family_title: family.title,
    architecture: model.architecture ?? null,
    parameters: model.tensors.reduce((sum, tensor) => sum + elementsOf(tensor), 0),
    bytes: model.files.reduce((sum, file) => sum + file.bytes, 0),
    files: model.files.length,
    tensors: model.tensors.length,
    type: typeName(types, values),
    types,
    sizes: { ...sizes, vocabulary: vocabulary ?? null },
    rope: {
      theta: values.number(`${prefix}rope.freq_base`) ?? null,
      rotated: values.number(`${prefix}rope.dimension_count`) ?? null,
      scaling: scalingOf(model),
    },
    attention,
    cache: cacheRows(sizes, attention),
    parts: describeParts(model),
    ...readTexts(model),
    notes: model.notes,
  };
}

function nameOf(model: KnownModel): string {
  const path = model.origin?.repo ?? model.label;
  return path.split(/[/\\]/).findLast((part) => part !== "") ?? path;
}

/** The type of RoPE scaling: from the configuration, else by the tensor that carries it. */
function scalingOf({ description, tensors }: KnownModel): string | null {
  const type = description?.config.find(({ key }) =>
    /^rope_(parameters|scaling)\.(rope_)?type$/.test(key),
  )?.value;
  if (typeof type === "string") return type === "default" ? null : type;
  return tensors.some(({ name }) => name === "rope_freqs.weight") ? "llama3" : null;
}

function cacheRows(sizes: DecoderSizes, attention: AttentionLayout): CacheRow[] {
  const most = sizes.context_length ?? 0;
  const within = SHOWN_CONTEXTS.filter((tokens) => tokens <= most);
  return (within.length > 0 ? within : [most]).map((tokens) => {
    const options = { type: "f16", batch: BATCH } as const;
    return {
      tokens,
      bytes: cacheSize(sizes, attention, tokens, { ...options, sliding: "window" }).total,
      bytes_without_window: cacheSize(sizes, attention, tokens, { ...options, sliding: "whole" }).total,
    };
  });
}
