import type { SpeechBinding } from "./speech-binding.js";

/**
 * The native classes parley adds to node-llama-cpp's addon
 * (ggml-patches/sources/node-llama-cpp/addon/parley/).
 */
export interface NativeAddon extends SpeechBinding {
  ParleyForward: new (model: object, options: ForwardOptions) => NativeForward;
  /** While aborted, decodes of this context fail. The context is node-llama-cpp's AddonContext. */
  parleySetAborted(context: object, aborted: boolean): void;
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

export interface ForwardOptions {
  contextSize: number;
  batchSize: number;
  kvType: string;
  flashAttention: boolean;
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
