import { forward } from "./forward.js";
import { generate } from "./generate.js";
import { HeadEvaluator } from "./classify.js";
import { LossEvaluator } from "./score.js";
import { forwardSpeech } from "./speech-forward.js";
import { scoreSpeech } from "./speech-score.js";
import { streamStats } from "../inspect/stream-stats.js";
import { type EngineBinding, loadAddon, loadEngine } from "./llama-binding.js";
import { NativeQuantizer } from "./native-quantizer.js";
import type { CallName, EngineCalls, FromEngine } from "./protocol.js";
import { SpeechModel } from "./speech-model.js";
import { TextModel } from "./text-model.js";
import { weigh } from "./weigh.js";

export interface CallContext {
  signal: AbortSignal;
  emit: (event: unknown) => void;
}

export type Handlers = {
  [Name in CallName]: (
    params: EngineCalls[Name]["params"],
    context: CallContext,
  ) => Promise<EngineCalls[Name]["result"]>;
};

type Log = (level: Extract<FromEngine, { kind: "log" }>["level"], text: string) => void;

/** The calls of the protocol, around one engine and one loaded model. */
export function createHandlers(log: Log): Handlers {
  const native = new NativeLog(log);
  let binding: EngineBinding | undefined;
  let text: TextModel | undefined;
  let heads: HeadEvaluator | undefined;
  let losses: LossEvaluator | undefined;
  let speech: SpeechModel | undefined;
  let contextSize = 0;

  const loaded = (): TextModel => {
    if (!text) throw new Error("no model is loaded");
    return text;
  };
  const loadedSpeech = (): SpeechModel => {
    if (!speech) throw new Error("no speech model is loaded");
    return speech;
  };

  return {
    async load({ engineFolder, gpu, modelPath, gpuLayers, threads }, { signal, emit }) {
      heads?.dispose();
      losses?.dispose();
      await text?.dispose();
      text = heads = losses = undefined;
      binding ??= await loadEngine(engineFolder, gpu, threads, native.write);
      native.lastError = undefined;
      const result = await TextModel.load(
        binding,
        modelPath,
        gpuLayers,
        (fraction) => emit({ fraction }),
        () => native.lastError,
        signal,
      );
      text = result.text;
      return result.info;
    },

    async loadVocabulary({ engineFolder, modelPath }, { signal }) {
      await text?.dispose();
      text = undefined;
      binding ??= await loadEngine(engineFolder, false, 1, native.write);
      text = await TextModel.loadVocabulary(binding, modelPath, signal);
    },

    async createContext(params) {
      contextSize = await loaded().createContext(params);
      return { contextSize };
    },

    tokenize({ text: input, special }) {
      return Promise.resolve(loaded().tokenize(input, special));
    },

    pieces({ ids, special }) {
      const model = loaded();
      return Promise.resolve(ids.map((id) => model.bytes(id, special)));
    },

    async generate(params, { signal, emit }) {
      return drain(generate(loaded(), params, contextSize, signal), emit);
    },

    async weigh(params, { signal, emit }) {
      return drain(weigh(loaded(), params, signal), emit);
    },

    async forward(params, { signal, emit }) {
      return drain(forward(loaded(), params, signal), emit);
    },

    async loadSpeech({ engineFolder, modelPath, threads, plain, gpu }) {
      speech?.dispose();
      speech = undefined;
      const started = performance.now();
      speech = await SpeechModel.load(loadAddon(engineFolder), modelPath, { threads, plain, gpu });
      return { ...speech.facts, loadMs: performance.now() - started };
    },

    encodeAudio({ samples }, { signal }) {
      return loadedSpeech().encode(samples, signal);
    },

    decodeAudio({ codes }, { signal, emit }) {
      return drain(loadedSpeech().decode(codes, signal), emit);
    },

    speak({ utterances, ...options }, { signal, emit }) {
      return drain(loadedSpeech().speak(utterances, options, signal), emit);
    },

    scoreSpeech(params, { signal, emit }) {
      return drain(scoreSpeech(loadedSpeech(), params, signal), emit);
    },

    forwardSpeech(params, { signal, emit }) {
      return drain(forwardSpeech(loadedSpeech(), params, signal), emit);
    },

    async classify(params, { signal, emit }) {
      heads ??= new HeadEvaluator(loaded());
      return drain(heads.classify(params, signal), emit);
    },

    async score(params, { signal, emit }) {
      losses ??= new LossEvaluator(loaded());
      return drain(losses.score(params, signal), emit);
    },

    async tensorStats({ engineFolder, tensors, threads }, { signal, emit }) {
      const quantizer = new NativeQuantizer(loadAddon(engineFolder), threads);
      await drain(streamStats(tensors, quantizer, signal), emit);
    },

    async convert({ engineFolder, source, ...options }, { signal, emit }) {
      // only a conversion needs these modules, and a chat waits for what this process loads
      const { convertAndSummarise } = await import("../convert/summarise-conversion.js");
      const quantizer = new NativeQuantizer(loadAddon(engineFolder), options.threads);
      return drain(convertAndSummarise(source, { ...options, quantizer, signal }), emit);
    },
  };
}

/** Sends what a generator yields and returns what it returns. */
async function drain<Event, Result>(
  generator: AsyncGenerator<Event, Result>,
  emit: (event: unknown) => void,
): Promise<Result> {
  for (;;) {
    const step = await generator.next();
    if (step.done) return step.value;
    emit(step.value);
  }
}

/** llama.cpp's log, passed on, with its last error kept to explain a failed load. */
class NativeLog {
  lastError: string | undefined;

  constructor(private readonly log: Log) {}

  readonly write = (level: string, message: string): void => {
    const text = message.trimEnd();
    if (text === "") return;
    if (level === "error" || level === "fatal") {
      // "llama_model_load: error loading model: REASON" says why; later lines only say that
      const reason = /error loading model(?: [a-z]+)?: (.*)/.exec(text)?.[1];
      this.lastError = reason ?? this.lastError ?? text;
      this.log("error", text);
    } else {
      this.log(level === "warn" ? "warn" : level === "info" ? "info" : "debug", text);
    }
  };
}
