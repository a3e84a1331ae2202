import { availableParallelism } from "node:os";
import { type GpuChoice, resolveGpu } from "../engine/build/gpu.js";
import { EngineProcess } from "../engine/client/engine-process.js";
import { type ModelFacts, readModelFacts } from "../engine/client/model-facts.js";
import { TextSession } from "../engine/client/text-session.js";
import { refuseLongerContext } from "./context-sizer.js";
import { ensureEngine } from "./ensure-engine.js";
import { prepareModelFile } from "./prepare-model.js";
import type { Progress } from "./progress.js";

export interface OpenTextModelOptions {
  model: string;
  flags: {
    type: string;
    "remove-download": boolean;
    gpu: GpuChoice;
    "gpu-layers"?: number | undefined;
    threads?: number | undefined;
    "ctx-size"?: number | undefined;
    offline: boolean;
    debug: boolean;
  };
  progress: Progress;
  signal: AbortSignal;
  /** refuses a model that the command cannot use, before its weights are loaded; so is a context longer than its own */
  check?: (facts: ModelFacts) => void;
  /** The command computes hundreds of tokens at a time, which keeps every thread busy in a small model too. */
  inBatches?: boolean;
}

/**
 * From the name of a model to a loaded session: downloads, converts and compiles what is missing. The engine process
 * starts first, so that it comes up while the file is read.
 * @throws UserError CONTEXT_SIZE (exit 2), and what check() throws
 */
export async function openTextModel({
  model,
  flags,
  progress,
  signal,
  check,
  inBatches = false,
}: OpenTextModelOptions): Promise<{ facts: ModelFacts; session: TextSession }> {
  const gpu = await resolveGpu(flags.gpu);
  const path = await prepareModelFile(model, {
    type: flags.type,
    removeDownload: flags["remove-download"],
    offline: flags.offline,
    gpu,
    progress,
    signal,
  });
  const engine = await ensureEngine(gpu, progress, signal);
  const process = new EngineProcess(flags.debug ? { onLog: ({ level, text }) => writeLog(level, text) } : {});
  try {
    const facts = await readModelFacts(path);
    check?.(facts);
    refuseLongerContext(flags["ctx-size"], facts.contextLength);
    const session = await TextSession.open({
      process,
      engine,
      facts,
      gpuLayers: flags["gpu-layers"] ?? "auto",
      threads: flags.threads ?? defaultThreads(inBatches ? Infinity : facts.bytes),
      signal,
      onLoad: (fraction) =>
        progress.update({ label: "loading the model", done: Math.round(fraction * 100), total: 100 }),
    });
    return { facts, session };
  } catch (error) {
    await process.close();
    throw error;
  } finally {
    progress.finish();
  }
}

/** Below this, token by token, waiting for other threads takes longer than what they compute. In bytes of model file. */
const ONE_THREAD_BYTES = 32 * 1024 * 1024;

/** Threads for a model; beyond 16 they only wait for memory. */
function defaultThreads(modelBytes: number): number {
  return modelBytes < ONE_THREAD_BYTES ? 1 : Math.min(16, availableParallelism());
}

function writeLog(level: string, text: string): void {
  process.stderr.write(`[engine ${level}] ${text}\n`);
}
