import type {
  ClassifyParams,
  ContextParams,
  ForwardParams,
  ForwardResult,
  GenerateEvent,
  GenerateParams,
  GenerateResult,
  LoadedModel,
  ScoreParams,
  ScoreSum,
  WeighParams,
  WeighResult,
} from "../host/protocol.js";
import type { EngineProcess } from "./engine-process.js";
import type { ModelFacts } from "./model-facts.js";

export interface OpenOptions {
  /** started early, so that it comes up while the file is read; it belongs to the session from here on */
  process: EngineProcess;
  engine: { folder: string; gpu: "cuda" | "vulkan" | "metal" | "off" };
  facts: ModelFacts;
  gpuLayers: number | "auto";
  threads: number;
  signal?: AbortSignal | undefined;
  onLoad?: (fraction: number) => void;
}

/** A text model in an engine process of its own. */
export class TextSession {
  private constructor(
    private readonly engine: EngineProcess,
    readonly facts: ModelFacts,
    readonly loaded: LoadedModel,
    /** threads the model computes with */
    readonly threads: number,
  ) {}

  /**
   * Loads the model into an engine process.
   * @throws UserError MODEL_LOAD, OUT_OF_MEMORY, ENGINE_*
   */
  static async open({
    process,
    engine,
    facts,
    gpuLayers,
    threads,
    signal,
    onLoad,
  }: OpenOptions): Promise<TextSession> {
    try {
      const loaded = await process.call(
        "load",
        {
          engineFolder: engine.folder,
          gpu: engine.gpu === "off" ? false : engine.gpu,
          modelPath: facts.path,
          gpuLayers: engine.gpu === "off" ? 0 : gpuLayers,
          threads,
        },
        { signal, onEvent: ({ fraction }) => onLoad?.(fraction) },
      );
      return new TextSession(process, facts, loaded, threads);
    } catch (error) {
      await process.close();
      throw error;
    }
  }

  /** Replaces the context; its cache starts empty. */
  createContext(params: ContextParams, signal?: AbortSignal): Promise<{ contextSize: number }> {
    return this.engine.call("createContext", params, { signal });
  }

  /** @param special true reads special token strings in the text as tokens */
  tokenize(text: string, { special }: { special: boolean }): Promise<number[]> {
    return this.engine.call("tokenize", { text, special });
  }

  /** Bytes of each token; special tokens as their strings. */
  pieces(ids: number[]): Promise<Uint8Array[]> {
    return this.engine.call("pieces", { ids, special: true });
  }

  /** An aborted generation ends with stopReason "interrupted" instead of throwing. */
  generate(params: GenerateParams, signal?: AbortSignal): AsyncGenerator<GenerateEvent, GenerateResult> {
    return this.engine.stream("generate", params, signal);
  }

  /**
   * Probabilities of some next tokens. What is evaluated for it stays in the cache.
   * @throws AbortError when the signal fires
   */
  weigh(params: WeighParams, signal?: AbortSignal): Promise<WeighResult> {
    return this.engine.call("weigh", params, { signal });
  }

  forward(
    params: ForwardParams,
    signal?: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number }, ForwardResult> {
    return this.engine.stream("forward", params, signal);
  }

  /** @returns logits of the classification head, one [rows, classes] per text */
  classify(
    params: ClassifyParams,
    signal?: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number }, Float32Array[]> {
    return this.engine.stream("classify", params, signal);
  }

  score(
    params: ScoreParams,
    signal?: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number }, ScoreSum> {
    return this.engine.stream("score", params, signal);
  }

  /** Process id of the engine; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.engine.pid;
  }

  /** Resolves when the engine process has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.engine.ended;
  }

  /** Ends the engine process. */
  close(): Promise<void> {
    return this.engine.close();
  }
}
