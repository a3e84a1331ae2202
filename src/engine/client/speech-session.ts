import type {
  ForwardResult,
  ForwardSpeechParams,
  LoadedSpeech,
  ScoreSpeechParams,
  SpeakParams,
  SpeechLoss,
} from "../host/protocol.js";
import type { SpokenChunk } from "../host/speech-model.js";
import type { EngineProcess } from "./engine-process.js";
import type { ModelFacts } from "./model-facts.js";

export interface OpenSpeechOptions {
  /** started early, so that it comes up while the file is read; it belongs to the session from here on */
  process: EngineProcess;
  engineFolder: string;
  facts: ModelFacts;
  threads: number;
  /** without the fused CPU kernels, through ggml alone */
  plain?: boolean;
  /** on a GPU, if there is one */
  gpu?: boolean;
  signal?: AbortSignal | undefined;
}

/** A speech model in an engine process of its own. Codes are [frames, codebooks], audio is mono float32. */
export class SpeechSession {
  private constructor(
    private readonly engine: EngineProcess,
    readonly facts: ModelFacts,
    readonly loaded: LoadedSpeech,
    private readonly engineFolder: string,
    /** threads the model computes with */
    readonly threads: number,
    /** was it given a GPU? */
    readonly onGpu: boolean,
  ) {}

  /**
   * Loads the model into an engine process.
   * @throws UserError SPEECH_LOAD, OUT_OF_MEMORY, ENGINE_*
   */
  static async open({
    process,
    engineFolder,
    facts,
    threads,
    plain = false,
    gpu = false,
    signal,
  }: OpenSpeechOptions): Promise<SpeechSession> {
    try {
      const params = { engineFolder, modelPath: facts.path, threads, plain, gpu };
      const loaded = await process.call("loadSpeech", params, { signal });
      return new SpeechSession(process, facts, loaded, engineFolder, threads, gpu);
    } catch (error) {
      await process.close();
      throw error;
    }
  }

  private vocabulary: Promise<void> | undefined;

  /** Ids of plain text; token strings such as <|AUDIO|> in it stay text. */
  async tokenize(text: string, signal?: AbortSignal): Promise<number[]> {
    const { engineFolder, facts } = this;
    this.vocabulary ??= this.engine.call(
      "loadVocabulary",
      { engineFolder, modelPath: facts.path },
      { signal },
    );
    await this.vocabulary;
    return this.engine.call("tokenize", { text, special: false }, { signal });
  }

  /**
   * Codes of a clip; its end is padded as the reference pads it.
   * @param samples mono at loaded.sampleRate
   * @throws AbortError
   */
  encode(samples: Float32Array, signal?: AbortSignal): Promise<Int32Array> {
    return this.engine.call("encodeAudio", { samples }, { signal });
  }

  /**
   * Audio of codes, piece by piece.
   * @throws AbortError
   */
  decode(codes: Int32Array, signal?: AbortSignal): AsyncGenerator<Float32Array, void> {
    return this.engine.stream("decodeAudio", { codes }, signal);
  }

  /**
   * Speaks utterances in lock step; each gets what it would get alone. After an abort what was spoken until then
   * is still yielded.
   * @throws UserError CONTEXT_TOO_LONG before anything is spoken
   * @throws AbortError
   */
  speak(params: SpeakParams, signal?: AbortSignal): AsyncGenerator<SpokenChunk, void> {
    return this.engine.stream("speak", params, signal);
  }

  /** Losses of a conversation whose audio is all there. */
  score(
    params: ScoreSpeechParams,
    signal?: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number }, SpeechLoss> {
    return this.engine.stream("scoreSpeech", params, signal);
  }

  /** Runs the backbone once and writes what was asked for. */
  forward(
    params: ForwardSpeechParams,
    signal?: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number }, ForwardResult> {
    return this.engine.stream("forwardSpeech", params, signal);
  }

  /** Ends the engine process. */
  close(): Promise<void> {
    return this.engine.close();
  }
}
