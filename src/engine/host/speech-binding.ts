/**
 * The native class of ggml-patches/sources/node-llama-cpp/addon/parley/speech-addon.cpp. Codes are
 * [frames, codebooks], audio is mono float32; each object runs one call at a time.
 */
export interface NativeSpeech {
  load(path: string, options: SpeechLoadOptions): Promise<SpeechFacts>;
  /** Forgets all utterances and makes room for `width` new ones of at most `context` positions. */
  begin(options: NativeBeginOptions): Promise<void>;
  /** A token of -1 stands for the next frame of codes. Resolves to false when cancel() came first. */
  start(
    id: number,
    tokens: Int32Array,
    codes: Int32Array,
    options: { seed: number; maxFrames: number },
  ): Promise<boolean>;
  /**
   * Speaks up to `frames` frames of every utterance. Those that ended make room.
   * @throws Error with code NOT_A_NUMBER that names codebook and position
   */
  speak(frames: number): Promise<NativeSpoken[]>;
  drop(id: number): void;
  /** Continues a stream of samples; a call whose samples fill no whole frame ends it. */
  encode(samples: Float32Array): Promise<Int32Array>;
  /** Continues a stream of codes. */
  decode(codes: Int32Array): Promise<Float32Array>;
  /** The next encode() and decode() begin new streams. */
  resetCodec(): void;
  /** states [layers + 1, positions, hidden], the last one after the norm; logits [positions, audioVocabulary] */
  backbone(tokens: Int32Array, codes: Int32Array, keepForAttention?: boolean): Promise<NativeHidden>;
  /**
   * What positions of the last backbone() with keepForAttention attend to.
   * @returns [heads, count, positions]
   */
  attention(layer: number, first: number, count: number): Promise<Float32Array>;
  /**
   * The depth decoder over whole frames.
   * @param hidden [frames, hidden], the backbone's normed state before each frame
   * @returns states [layers + 1, frames, codebooks, depthHidden]; logits [frames, codebooks - 1, audioVocabulary]
   */
  depth(hidden: Float32Array, codes: Int32Array): Promise<NativeHidden>;
  /** Outputs of every stage of encoding samples or decoding codes, channels fastest. */
  codecStages(input: Float32Array | Int32Array): Promise<Record<string, Float32Array>>;
  /** Draws from fixed logits as speaking does. */
  sample(
    logits: Float32Array,
    options: { temperature: number; topK: number; seed: number; draws: number },
  ): Promise<Int32Array>;
  /** Bytes held beside the mapped file. */
  memory(): { weights: number; speaking: number; codec: number };
  /**
   * A running start() or speak() returns after its current graph, a running backbone() or depth() fails. The next
   * begin(), backbone() or depth() lifts it.
   */
  cancel(): void;
  dispose(): void;
}

export interface SpeechLoadOptions {
  threads: number;
  /** without the fused CPU kernels, through ggml alone */
  plain?: boolean;
  /** on the first GPU that ggml knows, if there is one; what it cannot do is done on the CPU */
  gpu?: boolean;
}

export interface SpeechFacts {
  codebooks: number;
  /** Ids per codebook, the reserved ones above `codebookSize` counted. */
  audioVocabulary: number;
  codebookSize: number;
  textVocabulary: number;
  /** Positions the backbone was trained for. */
  context: number;
  hidden: number;
  layers: number;
  depthHidden: number;
  depthLayers: number;
  /** Hz */
  sampleRate: number;
  samplesPerFrame: number;
  /** Do the fused kernels of this CPU compute? */
  fused: boolean;
  /** What computes, in the words of its driver. */
  device: string;
}

export interface NativeBeginOptions {
  width: number;
  context: number;
  kvType: "f16" | "f32";
  /** 0 is greedy. */
  temperature: number;
  /** 0 keeps every id. */
  topK: number;
  depthTemperature: number;
  depthTopK: number;
}

export type SpeechEnd = "none" | "eos" | "cap" | "context";

export interface NativeSpoken {
  id: number;
  end: SpeechEnd;
  /** The frame that ends the speech is included. */
  codes: Int32Array;
  /** Of the frames before the end. */
  audio: Float32Array;
}

export interface NativeHidden {
  states: Float32Array;
  logits: Float32Array;
}

/** The part of the addon that speech needs. */
export interface SpeechBinding {
  ParleySpeech: new () => NativeSpeech;
}
