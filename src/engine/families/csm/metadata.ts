import type { GgufValue } from "../../formats/gguf.js";
import type { CsmConfig } from "./config.js";
import type { TransformerShape } from "./transformer-config.js";

/**
 * Metadata under `csm.`: the backbone's sizes under the keys of any llama, then `csm.audio.`, `csm.depth.` and
 * `csm.mimi.`; speech-config.cpp reads them.
 */
export function csmMetadata(config: CsmConfig): Map<string, GgufValue> {
  const { mimi } = config;
  const metadata = new Map<string, GgufValue>([["csm.vocab_size", uint32(config.textVocabSize)]]);
  const add = (prefix: string, values: Readonly<Record<string, GgufValue>>): void => {
    for (const [key, value] of Object.entries(values)) metadata.set(prefix + key, value);
  };
  add("csm.", transformerMetadata(config.backbone));
  add("csm.audio.", {
    codebook_count: uint32(config.codebooks),
    vocab_size: uint32(config.audioVocabSize),
    eos_code: uint32(config.codebookEos),
    pad_code: uint32(config.codebookPad),
    token_id: uint32(config.audioTokenId),
    eos_token_id: uint32(config.audioEosTokenId),
  });
  add("csm.depth.", transformerMetadata(config.depth));
  add("csm.mimi.", {
    context_length: uint32(mimi.contextLength),
    embedding_length: uint32(mimi.hiddenSize),
    block_count: uint32(mimi.layers),
    feed_forward_length: uint32(mimi.intermediateSize),
    "attention.head_count": uint32(mimi.heads),
    "attention.head_count_kv": uint32(mimi.keyValueHeads),
    "attention.key_length": uint32(mimi.headDim),
    "attention.value_length": uint32(mimi.headDim),
    "attention.layer_norm_epsilon": float32(mimi.normEps),
    "attention.sliding_window": uint32(mimi.slidingWindow),
    "rope.dimension_count": uint32(mimi.headDim),
    "rope.freq_base": float32(mimi.ropeTheta),
    sample_rate: uint32(mimi.samplingRate),
    filter_count: uint32(mimi.filters),
    ratios: { type: "array", of: "uint32", value: mimi.ratios },
    residual_layers: uint32(mimi.residualLayers),
    dilation_growth: uint32(mimi.dilationGrowth),
    codebook_count: uint32(mimi.quantizers),
    codebook_size: uint32(mimi.codebookSize),
    codebook_dim: uint32(mimi.codebookDim),
    semantic_count: uint32(mimi.semanticQuantizers),
  });
  return metadata;
}

function transformerMetadata(shape: TransformerShape): Record<string, GgufValue> {
  return {
    context_length: uint32(shape.contextLength),
    embedding_length: uint32(shape.hiddenSize),
    block_count: uint32(shape.layers),
    feed_forward_length: uint32(shape.intermediateSize),
    "attention.head_count": uint32(shape.heads),
    "attention.head_count_kv": uint32(shape.keyValueHeads),
    "attention.key_length": uint32(shape.headDim),
    "attention.value_length": uint32(shape.headDim),
    "attention.layer_norm_rms_epsilon": float32(shape.rmsNormEps),
    "rope.dimension_count": uint32(shape.headDim),
    "rope.freq_base": float32(shape.rope.theta),
  };
}

function uint32(value: number): GgufValue {
  return { type: "uint32", value };
}

function float32(value: number): GgufValue {
  return { type: "float32", value };
}
