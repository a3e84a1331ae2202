import type { ConversionProgress } from "../convert/execute-plan.js";
import type { ConversionSummary } from "../convert/summarise-conversion.js";
import type { Origin } from "../convert/general-metadata.js";
import type { ExitCodeName } from "../errors.js";
import type { ModelTensor } from "../inspect/open-model.js";
import type { StatsProgress } from "../inspect/stream-stats.js";
import type { OutputType } from "../tensors/output-type.js";
import type { SpeechFacts } from "./speech-binding.js";
import type { SpeakOptions, SpokenChunk, Utterance } from "./speech-model.js";

/**
 * What travels between the CLI process and the engine process, over Node's IPC channel
 * (structured clone, so typed arrays stay typed arrays).
 */

export const KV_TYPES = ["f16", "f32", "q8_0"] as const;
export type KvType = (typeof KV_TYPES)[number];

export interface LoadParams {
  /** folder of the compiled engine (see engine/build) */
  engineFolder: string;
  /** backend that engine was compiled for */
  gpu: "cuda" | "vulkan" | "metal" | false;
  modelPath: string;
  /** on the GPU, the output after the last layer counted as one; "auto": as many as fit */
  gpuLayers: number | "auto";
  threads: number;
}

export interface LoadedModel {
  /** "cuda", "vulkan", "metal" or false */
  gpu: string | false;
  vocabularySize: number;
  /** positions the model was trained for */
  trainContextSize: number;
  loadMs: number;
}

export interface ContextParams {
  contextSize: number;
  /** tokens per llama_decode call */
  batchSize: number;
  kvType: KvType;
  flashAttention: "on" | "off" | "auto";
  /** give sliding layers a cache of the full context size */
  swaFull: boolean;
}

export interface Sampling {
  /** 0 takes the likeliest token */
  temperature: number;
  /** 0 keeps all */
  topK: number;
  topP: number;
  minP: number;
  /** 1 = off; over the last 64 tokens */
  repeatPenalty: number;
  seed: number;
}

export interface GenerateParams {
  /** The whole sequence. What the cache already holds of it is not evaluated again. */
  tokens: number[];
  /** undefined = until a stop token or the end of the context */
  maxTokens?: number;
  sampling: Sampling;
  /** generation ends when one of these is sampled; it is not part of the answer */
  stopTokens: number[];
  /** JSON schema the text must follow */
  jsonSchema?: unknown;
  /** report the probability of each token among those the sampling left; without repeat penalty and schema */
  probabilities?: boolean;
  /** guess tokens from what came before, and have the model check several at once */
  lookup?: boolean;
}

export interface WeighParams {
  /** as in GenerateParams; at least one */
  tokens: number[];
  /** which next tokens to weigh */
  candidates: number[];
}

export interface WeighResult {
  /** softmax over the whole vocabulary, before any sampling, in the order of the candidates */
  probabilities: number[];
  /** tokens found in the cache */
  reusedTokens: number;
}

export type GenerateEvent =
  | { kind: "prompt"; done: number; total: number }
  /** tokens sampled since the last event, and the bytes they stand for (a character may be split) */
  | { kind: "tokens"; ids: number[]; bytes: Uint8Array; probabilities?: number[] };

export type StopReason = "stop" | "length" | "interrupted" | "overflow";

export interface GenerateResult {
  stopReason: StopReason;
  /** the stop token that ended it, if one did */
  stopToken?: number;
  promptTokens: number;
  /** prompt tokens found in the cache */
  reusedTokens: number;
  generatedTokens: number;
  /** from the call to the first sampled token */
  firstTokenMs: number;
  promptMs: number;
  generateMs: number;
}

export interface ForwardParams {
  tokens: number[];
  kvType: KvType;
  flashAttention: "on" | "off";
  swaFull: boolean;
  batchSize: number;
  threads: number;
  /** .npy files to write, by what they hold; see engine/host/forward.ts for the shapes */
  outputs: { logits?: string; hiddenStates?: string; attentions?: string };
  /** from the file's metadata; they decide the shapes */
  sizes: { layers: number; heads: number; hidden: number; vocabulary: number };
  /** how many of the likeliest next tokens to report */
  top: number;
}

export interface ForwardResult {
  top: { id: number; logit: number; probability: number }[];
  shapes: Record<string, number[]>;
}

export interface LoadSpeechParams {
  /** folder of the compiled engine (see engine/build) */
  engineFolder: string;
  modelPath: string;
  threads: number;
  /** without the fused CPU kernels, through ggml alone */
  plain: boolean;
  /** on a GPU, if there is one */
  gpu: boolean;
}

export interface LoadedSpeech extends SpeechFacts {
  loadMs: number;
}

export interface SpeakParams extends SpeakOptions {
  utterances: Utterance[];
}

/** How classify and score lay out their context. */
export interface EvaluationParams {
  kvType: KvType;
  flashAttention: "on" | "off" | "auto";
  threads: number;
}

export interface ClassifyParams extends EvaluationParams {
  texts: number[][];
  /** number of classes */
  classes: number;
  /** which tokens of a text the head is applied to */
  rows: "last" | "all";
}

export interface ScoreParams extends EvaluationParams {
  /** Evaluated one by one; tokens[i] is scored when i >= first, which is at least 1. */
  windows: { tokens: Int32Array; first: number }[];
  /** most tokens of any window, of this call and later ones */
  windowSize: number;
  vocabulary: number;
}

export interface SpeechPrompt {
  /** text ids, -1 (AUDIO_FRAME) for each frame of `codes` */
  tokens: Int32Array;
  /** [frames, codebooks] */
  codes: Int32Array;
}

export interface ScoreSpeechParams extends SpeechPrompt {
  /** the text id that ends audio; a frame of `eosCode` stands for it */
  audioEndToken: number;
  eosCode: number;
}

/** Mean losses in nats; `loss` is the sum of the two others. */
export interface SpeechLoss {
  loss: number;
  backbone_loss: number;
  depth_decoder_loss: number;
}

export interface ForwardSpeechParams extends SpeechPrompt {
  outputs: ForwardParams["outputs"];
  /** query heads of the backbone */
  heads: number;
  top: number;
}

/** A sum over scored tokens. */
export interface ScoreSum {
  /** of -ln p(token), in nats */
  loss: number;
  tokens: number;
}

export interface ConvertParams {
  engineFolder: string;
  /** checkpoint folder or GGUF file */
  source: string;
  output: string;
  type: OutputType | "auto";
  depthType?: OutputType;
  origin?: Origin;
  threads: number;
  overwrite: boolean;
  splitMaxBytes?: number;
  hash: boolean;
}

/** Every call the engine process answers: what goes in, what comes in between, what comes out. */
export interface EngineCalls {
  load: { params: LoadParams; event: { fraction: number }; result: LoadedModel };
  createContext: { params: ContextParams; event: never; result: { contextSize: number } };
  /** only the vocabulary of a model, whatever its architecture; tokenize and pieces work then */
  loadVocabulary: { params: { engineFolder: string; modelPath: string }; event: never; result: void };
  /** special: true reads token strings such as <|eot_id|> as tokens; false reads them as text */
  tokenize: { params: { text: string; special: boolean }; event: never; result: number[] };
  /** one piece of bytes per id; special: true writes special tokens as their strings, false as nothing */
  pieces: { params: { ids: number[]; special: boolean }; event: never; result: Uint8Array[] };
  generate: { params: GenerateParams; event: GenerateEvent; result: GenerateResult };
  weigh: { params: WeighParams; event: { done: number; total: number }; result: WeighResult };
  forward: { params: ForwardParams; event: { done: number; total: number }; result: ForwardResult };
  loadSpeech: { params: LoadSpeechParams; event: never; result: LoadedSpeech };
  /** mono samples at the model's rate to codes [frames, codebooks] */
  encodeAudio: { params: { samples: Float32Array }; event: never; result: Int32Array };
  /** codes [frames, codebooks] to samples, piece by piece */
  decodeAudio: { params: { codes: Int32Array }; event: Float32Array; result: void };
  speak: { params: SpeakParams; event: SpokenChunk; result: void };
  /** one [rows, classes] per text */
  classify: { params: ClassifyParams; event: { done: number; total: number }; result: Float32Array[] };
  score: { params: ScoreParams; event: { done: number; total: number }; result: ScoreSum };
  /** Numbers of tensors in files; needs no loaded model. */
  tensorStats: {
    params: { engineFolder: string; tensors: ModelTensor[]; threads: number };
    event: StatsProgress;
    result: void;
  };
  scoreSpeech: {
    params: ScoreSpeechParams;
    event: { done: number; total: number };
    result: SpeechLoss;
  };
  forwardSpeech: {
    params: ForwardSpeechParams;
    event: { done: number; total: number };
    result: ForwardResult;
  };
  convert: { params: ConvertParams; event: ConversionProgress; result: ConversionSummary };
}

export type CallName = keyof EngineCalls;

/** An error on its way to the other process. */
export interface WireError {
  name: string;
  message: string;
  stack?: string;
  user?: { exit: ExitCodeName; code: string; hint?: string };
}

export type ToEngine =
  | { kind: "call"; id: number; name: CallName; params: unknown }
  | { kind: "cancel"; id: number }
  | { kind: "quit" };

export type FromEngine =
  | { kind: "event"; id: number; event: unknown }
  | { kind: "result"; id: number; value: unknown }
  | { kind: "error"; id: number; error: WireError }
  | { kind: "log"; level: "error" | "warn" | "info" | "debug"; text: string };
