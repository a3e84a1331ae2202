import type { ModelPart } from "../families/family.js";
import { readAttention, readDecoderSizes, type AttentionLayout, type DecoderSizes } from "./decoder-sizes.js";
import type { ModelTensor } from "./open-model.js";
import { elementsOf } from "./tensor-types.js";
import type { KnownModel } from "./understand.js";

/** One model of a model made of several. */
export interface PartOverview {
  readonly name: string;
  readonly role: string;
  readonly parameters: number;
  readonly bytes: number;
  readonly sizes: DecoderSizes;
  readonly attention: AttentionLayout;
  /** Codes per frame, where the part makes or reads them. */
  readonly codebooks: number | null;
  /** Hz, of a codec. */
  readonly sample_rate: number | null;
  /** Of a codec. */
  readonly frames_per_second: number | null;
}

/** The parts in the order of the computation. Every tensor belongs to exactly one. */
export function describeParts({ family, tensors, values }: KnownModel): PartOverview[] {
  const parts = family.parts ?? [];
  return parts.map((part) => {
    const own = tensors.filter((tensor) => partOf(tensor, parts) === part);
    const { metadata } = part;
    const sizes = readDecoderSizes(values, metadata);
    const rate = values.number(`${metadata}sample_rate`);
    const ratios = values.numbers(`${metadata}ratios`);
    const hop = ratios.reduce((product, ratio) => product * ratio, 1);
    return {
      name: part.name,
      role: part.role,
      parameters: own.reduce((sum, tensor) => sum + elementsOf(tensor), 0),
      bytes: own.reduce((sum, tensor) => sum + tensor.bytes, 0),
      sizes,
      attention: readAttention(values, metadata, sizes.layers ?? 0),
      codebooks:
        values.number(`${metadata}codebook_count`) ??
        values.number(`${family.ggufArchitecture}.audio.codebook_count`) ??
        null,
      sample_rate: rate ?? null,
      // The transformers of the codec run at twice the rate of its frames.
      frames_per_second: rate === undefined || ratios.length === 0 ? null : rate / (hop * 2),
    };
  });
}

function partOf({ name }: ModelTensor, parts: readonly ModelPart[]): ModelPart | undefined {
  const named = parts.find(({ tensors }) => tensors?.some((prefix) => name.startsWith(prefix)));
  return named ?? parts.find(({ tensors }) => tensors === undefined);
}
