import type { GgufValue } from "../formats/gguf.js";

/** How a model speaks unless the user says otherwise. Temperature 0 is greedy, top-k 0 keeps all. */
export interface SpeechSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly depthTemperature: number;
  readonly depthTopK: number;
}

/** What a speech model's file says beyond the sizes that native code reads. */
export interface SpeechDefaults {
  /** Text id that ends the audio of an earlier turn. */
  readonly audioEndToken: number;
  /** The code that fills the frame which that token stands for. */
  readonly eosCode: number;
  /** Most frames of an utterance, where the checkpoint says. */
  readonly maxFrames: number;
  readonly sampling: SpeechSampling;
  /** Are the weights f32, f16 or bf16, so that nothing but the cache could cost precision? */
  readonly unquantised: boolean;
}

/** What a family that speaks knows about it. */
export interface SpeechBehaviour {
  /** What a speaker's words look like to the tokenizer. */
  turnText(speaker: number, text: string): string;
  /**
   * @param metadata of the GGUF file
   * @param file     how errors name it
   * @throws UserError GGUF_KEY_MISSING (exit 65)
   */
  defaults(metadata: ReadonlyMap<string, GgufValue>, file: string): SpeechDefaults;
}
