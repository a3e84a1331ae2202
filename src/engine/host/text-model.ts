import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from "node-llama-cpp";
import { UserError } from "../errors.js";
import { type EngineBinding, nativeContext, nativeModel, setThreads } from "./llama-binding.js";
import type { ContextParams, LoadedModel } from "./protocol.js";

/**
 * Copies of the sliding layers' cache that are kept: where the last message began, before the last batch of its prompt,
 * and before its answer. One of them may be as large as that cache; node-llama-cpp would keep 32 of any size.
 */
export const CHECKPOINTS = { max: 3, interval: false, maxMemory: 2 ** 31 } as const;

/** A loaded model with at most one context and one sequence in it. */
export class TextModel {
  private context: LlamaContext | undefined;
  private current: LlamaContextSequence | undefined;

  private constructor(
    readonly binding: EngineBinding,
    readonly model: LlamaModel,
    readonly modelPath: string,
  ) {}

  /**
   * @throws UserError MODEL_LOAD with llama.cpp's reason
   */
  static async load(
    binding: EngineBinding,
    modelPath: string,
    gpuLayers: number | "auto",
    onProgress: (fraction: number) => void,
    nativeReason: () => string | undefined,
    signal: AbortSignal,
  ): Promise<{ text: TextModel; info: LoadedModel }> {
    const started = performance.now();
    try {
      const model = await binding.llama.loadModel({
        modelPath,
        ...(gpuLayers === "auto" ? {} : { gpuLayers }),
        onLoadProgress: onProgress,
        loadSignal: signal,
      });
      const text = new TextModel(binding, model, modelPath);
      return {
        text,
        info: {
          gpu: binding.llama.gpu,
          vocabularySize: model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0,
          trainContextSize: model.trainContextSize,
          loadMs: performance.now() - started,
        },
      };
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = nativeReason() ?? (error instanceof Error ? error.message : String(error));
      const isRefused = error instanceof Error && error.constructor.name === "InsufficientMemoryError";
      if (isRefused || /out of memory|unable to allocate/i.test(reason)) {
        throw new UserError(
          "outOfMemory",
          "OUT_OF_MEMORY",
          `${modelPath} does not fit into memory: ${isRefused ? error.message : reason}`,
          binding.llama.gpu === false
            ? "Convert to a smaller type (--type q4_k_m), or close other programs."
            : "Put fewer layers on the GPU (--gpu-layers), or convert to a smaller type (--type q4_k_m).",
          { cause: error },
        );
      }
      throw new UserError(
        "badFile",
        "MODEL_LOAD",
        `${modelPath} could not be loaded: ${reason}`,
        "Convert the checkpoint again; if it came from elsewhere, check that it is a CWM or GLM model.",
        { cause: error },
      );
    }
  }

  /** Loads the vocabulary alone. llama.cpp need not know the architecture: it is told another one. */
  static async loadVocabulary(
    binding: EngineBinding,
    modelPath: string,
    signal: AbortSignal,
  ): Promise<TextModel> {
    const model = await binding.llama.loadModel({
      modelPath,
      vocabOnly: true,
      gpuLayers: 0,
      // The types allow only numbers and booleans; the override itself takes any string.
      metadataOverrides: { general: { architecture: "llama" as unknown as never } },
      loadSignal: signal,
    });
    return new TextModel(binding, model, modelPath);
  }

  tokenize(text: string, special: boolean): number[] {
    return this.model.tokenize(text, special, "trimLeadingSpace");
  }

  bytes(id: number, special: boolean): Uint8Array {
    return this.binding.addon.parleyTokenBytes(nativeModel(this.model), id, special);
  }

  async createContext({
    contextSize,
    batchSize,
    kvType,
    flashAttention,
    swaFull,
  }: ContextParams): Promise<number> {
    await this.context?.dispose();
    this.context = undefined;
    this.current = undefined;
    const cacheType = kvType === "f16" ? "F16" : kvType === "f32" ? "F32" : "Q8_0";
    try {
      this.context = await this.model.createContext({
        contextSize,
        batchSize,
        sequences: 1,
        flashAttention: flashAttention === "auto" ? "auto" : flashAttention === "on",
        swaFullCache: swaFull,
        experimentalKvCacheKeyType: cacheType,
        experimentalKvCacheValueType: cacheType,
        failedCreationRemedy: false,
      });
    } catch (error) {
      throw new UserError(
        "outOfMemory",
        "CONTEXT_MEMORY",
        `A context of ${contextSize} tokens could not be made: ${error instanceof Error ? error.message : String(error)}`,
        "Ask for fewer tokens with --ctx-size, or for a smaller cache with --kv-type q8_0.",
        { cause: error },
      );
    }
    setThreads(this.context, this.binding.threads);
    this.current = this.context.getSequence({ checkpoints: CHECKPOINTS });
    this.setAborted(false);
    return contextSize;
  }

  get sequence(): LlamaContextSequence {
    if (!this.current) throw new Error("no context was created");
    return this.current;
  }

  /** Largest number of tokens one evaluation takes. */
  get batchSize(): number {
    return this.context?.batchSize ?? 512;
  }

  setAborted(aborted: boolean): void {
    if (this.context) this.binding.addon.parleySetAborted(nativeContext(this.context), aborted);
  }

  async dispose(): Promise<void> {
    await this.context?.dispose();
    await this.model.dispose();
  }
}

export function asTokens(ids: readonly number[]): Token[] {
  return ids as unknown as Token[];
}
