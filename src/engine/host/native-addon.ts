import type { SpeechBinding } from "./speech-binding.js";

/**
 * The native classes parley adds to node-llama-cpp's addon
 * (ggml-patches/sources/node-llama-cpp/addon/parley/).
 */
export interface NativeAddon extends SpeechBinding {
  ParleyClassify: new (model: object, options: EvaluationOptions) => NativeClassify;
  ParleyForward: new (model: object, options: EvaluationOptions) => NativeForward;
  ParleyScore: new (model: object, options: EvaluationOptions) => NativeScore;
  /** While aborted, decodes of this context fail. The context is node-llama-cpp's AddonContext. */
  parleySetAborted(context: object, aborted: boolean): void;
  /** node-llama-cpp's sampler chain. */
  AddonSampler: new (model: object) => NativeSampler;
  /**
   * Appends tokens (1 to a batch) to a sequence and samples; sampled tokens but the last are appended in their turn.
   * Ends at a stop token, at maxTokens, or after budgetMs. Context and sampler are node-llama-cpp's.
   * @throws Error "Eval has failed" when the decode was aborted, "logits are not numbers"
   */
  parleySampleTokens(context: object, sampler: NativeSampler, options: SampleOptions): Promise<SampledTokens>;
  /** Bytes of one token; empty for special tokens unless special is true. */
  parleyTokenBytes(model: object, id: number, special: boolean): Uint8Array;
  /** Converts rows between ggml types ("bf16" -> "q4_K") on native threads; resolves to `output`. */
  parleyConvertRows(
    input: Uint8Array,
    sourceType: string,
    targetType: string,
    output: Uint8Array,
    rows: number,
    columns: number,
    threads: number,
  ): Promise<Uint8Array>;
}

export interface NativeSampler {
  /** Keys and their meaning: LlamaContextSequence._resolveSamplerConfig of node-llama-cpp. */
  applyConfig(config: Record<string, unknown>): void;
  dispose(): void;
}

export interface SampleOptions {
  tokens: Int32Array;
  /** the sequence and the tokens, to guess the next ones from; empty: no guessing */
  history: Int32Array;
  /** of the first of the tokens */
  position: number;
  sequence: number;
  stopTokens: Int32Array;
  maxTokens: number;
  budgetMs: number;
  probabilities: boolean;
}

export interface SampledTokens {
  tokens: Int32Array;
  /** One per token, among the tokens that temperature and filters left; only where asked for. */
  probabilities?: Float32Array;
}

/** A context of its own; its classes run one call at a time. */
export interface EvaluationOptions {
  /** positions, shared by all sequences */
  contextSize: number;
  /** most tokens of a call */
  batchSize: number;
  sequences: number;
  kvType: string;
  flashAttention: "on" | "off" | "auto";
  swaFull: boolean;
  threads: number;
}

export interface NativeForward {
  /** Appends tokens to the sequence; T = tokens.length <= batchSize. */
  decode(
    tokens: Int32Array,
    want: { logits: boolean; hiddenStates: boolean; attentions: boolean },
  ): Promise<{
    /** [T, vocab], or [vocab] for the last position when logits were not wanted */
    logits: Float32Array;
    /** [layers + 1, T, hidden] */
    hidden: Float32Array;
    /** [layers, heads, T, cells] */
    attentions: Float32Array;
    cells: number;
  }>;
  abort(): void;
  dispose(): void;
}

export interface NativeScore {
  /**
   * The sum of -ln p(targets[i]) after tokens[0..i], over all targets but those of -1.
   * @param restart begins a new sequence; otherwise the tokens follow those of the last call
   */
  score(tokens: Int32Array, targets: Int32Array, restart: boolean): Promise<number>;
  abort(): void;
  dispose(): void;
}

export interface NativeClassify {
  /** Appends tokens to their sequences. @returns [outputs, classes], a row for each token marked in `outputs` */
  evaluate(
    tokens: Int32Array,
    positions: Int32Array,
    sequences: Int32Array,
    outputs: Uint8Array,
  ): Promise<Float32Array>;
  /** Forgets all sequences. */
  clear(): void;
  abort(): void;
  dispose(): void;
}
