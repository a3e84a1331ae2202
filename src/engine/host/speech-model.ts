import { UserError } from "../errors.js";
import { joinIntegers } from "../tensors/join-integers.js";
import { notANumber } from "./not-a-number.js";
import type {
  NativeHidden,
  NativeSpeech,
  SpeechBinding,
  SpeechEnd,
  SpeechFacts,
  SpeechLoadOptions,
} from "./speech-binding.js";

/** Stands for a frame of codes in a prompt's tokens. */
export const AUDIO_FRAME = -1;

/** Frames per native call while the codec works on a clip: an abort waits for one of them. */
const CLIP_FRAMES = 64;

/** Frames per native call while speaking: small at first, so that audio starts early, then what the codec likes. */
const RAMP = [1, 2, 4, 8] as const;

/** Something to say, or to go on with. */
export interface Utterance {
  /** Text ids, AUDIO_FRAME for each frame of `codes`. */
  tokens: Int32Array;
  /** Codes of the earlier turns' audio, [frames, codebooks]. */
  codes: Int32Array;
  /** Whole number from 0 to 2^53 - 1. The same seed says the same, alone or in any batch. */
  seed: number;
  maxFrames: number;
}

export interface SpeakOptions {
  /** Most utterances in lock step. More wait until one has ended. */
  width: number;
  kvType: "f16" | "f32";
  sampling: { temperature: number; topK: number; depthTemperature: number; depthTopK: number };
}

/** A piece of one utterance. */
export interface SpokenChunk {
  /** Index in the list of utterances. */
  utterance: number;
  codes: Int32Array;
  audio: Float32Array;
  /** Not "none": this was the last piece. */
  end: SpeechEnd;
}

/** A loaded CSM. One job at a time. */
export class SpeechModel {
  private constructor(
    private readonly native: NativeSpeech,
    readonly facts: SpeechFacts,
  ) {}

  /**
   * @param path a csm GGUF file that the strict reader has accepted
   * @throws UserError SPEECH_LOAD (exit 65) when the file is not what it says it is
   */
  static async load(binding: SpeechBinding, path: string, options: SpeechLoadOptions): Promise<SpeechModel> {
    const native = new binding.ParleySpeech();
    try {
      return new SpeechModel(native, await native.load(path, options));
    } catch (error) {
      if (error instanceof Error && (error as { code?: string }).code === "BAD_SPEECH_FILE") {
        throw new UserError(
          "badFile",
          "SPEECH_LOAD",
          `${path} cannot be run: ${error.message}`,
          "Convert the checkpoint again.",
          { cause: error },
        );
      }
      if (error instanceof Error && error.message === "out of memory") {
        throw new UserError(
          "outOfMemory",
          "OUT_OF_MEMORY",
          `${path} does not fit into memory`,
          "Convert to a smaller type (--type q4_0), or close other programs.",
          { cause: error },
        );
      }
      throw error;
    }
  }

  /**
   * Codes of a clip, [frames, codebooks]; its end is padded as the reference pads it.
   * @param samples mono at facts.sampleRate
   * @throws AbortError
   */
  async encode(samples: Float32Array, signal?: AbortSignal): Promise<Int32Array> {
    this.native.resetCodec();
    const step = CLIP_FRAMES * this.facts.samplesPerFrame;
    const parts: Int32Array[] = [];
    for (let start = 0; start < samples.length; start += step) {
      signal?.throwIfAborted();
      parts.push(await this.native.encode(samples.subarray(start, start + step)));
    }
    return joinIntegers(parts);
  }

  /**
   * Audio of a code sequence, piece by piece.
   * @param codes [frames, codebooks]
   * @throws UserError NOT_A_NUMBER (exit 65)
   * @throws AbortError
   */
  async *decode(codes: Int32Array, signal?: AbortSignal): AsyncGenerator<Float32Array> {
    this.native.resetCodec();
    const step = CLIP_FRAMES * this.facts.codebooks;
    for (let start = 0; start < codes.length; start += step) {
      signal?.throwIfAborted();
      yield audible(await this.native.decode(codes.subarray(start, start + step)));
    }
  }

  /**
   * Speaks utterances, `width` at a time; each gets exactly what it would get alone. After an abort what was
   * spoken until then is still yielded.
   * @throws UserError CONTEXT_TOO_LONG (exit 2) before anything is spoken, NOT_A_NUMBER (exit 65)
   * @throws AbortError
   */
  async *speak(
    utterances: readonly Utterance[],
    { width, kvType, sampling }: SpeakOptions,
    signal?: AbortSignal,
  ): AsyncGenerator<SpokenChunk> {
    for (const { tokens } of utterances) this.refuseLongPrompt(tokens.length);
    const longest = Math.max(0, ...utterances.map(({ tokens, maxFrames }) => tokens.length + maxFrames - 1));
    const context = Math.min(this.facts.context, longest);
    const places = Math.min(width, utterances.length);
    const cancel = () => this.native.cancel();
    await this.native.begin({ width: places, context, kvType, ...sampling });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      let waiting = 0;
      let speaking = 0;
      for (let call = 0; waiting < utterances.length || speaking > 0; call++) {
        while (speaking < places && waiting < utterances.length) {
          signal?.throwIfAborted();
          const { tokens, codes, seed, maxFrames } = utterances[waiting]!;
          if (!(await this.native.start(waiting, tokens, codes, { seed, maxFrames }))) break;
          waiting++;
          speaking++;
        }
        const frames = RAMP[Math.min(call, RAMP.length - 1)]!;
        for (const spoken of await this.native.speak(frames).catch(explainNumbers)) {
          if (spoken.end !== "none") speaking--;
          const { id: utterance, codes, audio, end } = spoken;
          yield { utterance, codes, audio: audible(audio), end };
        }
        signal?.throwIfAborted();
      }
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * Everything on the way through the backbone; the cache is float32.
   * @throws AbortError
   * @see NativeSpeech.backbone
   */
  backbone(
    tokens: Int32Array,
    codes: Int32Array,
    { keepForAttention = false, signal }: { keepForAttention?: boolean; signal: AbortSignal },
  ): Promise<NativeHidden> {
    this.refuseLongPrompt(tokens.length);
    return this.stoppable(() => this.native.backbone(tokens, codes, keepForAttention), signal);
  }

  /** @returns [heads, count, positions] of the prompt that backbone() kept */
  attention(layer: number, first: number, count: number): Promise<Float32Array> {
    return this.native.attention(layer, first, count);
  }

  /**
   * The depth decoder over whole frames.
   * @throws AbortError
   * @see NativeSpeech.depth
   */
  depth(hidden: Float32Array, codes: Int32Array, signal: AbortSignal): Promise<NativeHidden> {
    return this.stoppable(() => this.native.depth(hidden, codes), signal);
  }

  dispose(): void {
    this.native.dispose();
  }

  /** Runs a native call that cancel() ends early. */
  private async stoppable<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const cancel = () => this.native.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  private refuseLongPrompt(positions: number): void {
    if (positions <= this.facts.context) return;
    throw new UserError(
      "usage",
      "CONTEXT_TOO_LONG",
      `the prompt takes ${positions} positions, the model has ${this.facts.context}`,
      "Give fewer or shorter earlier turns (12.5 positions per second of audio), or a shorter text.",
    );
  }
}

function explainNumbers(error: unknown): never {
  throw error instanceof Error && (error as { code?: string }).code === "NOT_A_NUMBER"
    ? notANumber(`the logits of ${error.message} are not numbers`, error)
    : error;
}

/** @throws UserError NOT_A_NUMBER when samples are none */
function audible(audio: Float32Array): Float32Array {
  if (audio.some(Number.isNaN)) throw notANumber("the codec's decoder gives samples that are not numbers");
  return audio;
}
