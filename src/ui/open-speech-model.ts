import { availableParallelism } from "node:os";
import { type GpuChoice, resolveGpu } from "../engine/build/gpu.js";
import { EngineProcess } from "../engine/client/engine-process.js";
import { readModelFacts } from "../engine/client/model-facts.js";
import { SpeechSession } from "../engine/client/speech-session.js";
import { UserError } from "../engine/errors.js";
import { ensureEngine } from "./ensure-engine.js";
import { prepareModelFile } from "./prepare-model.js";
import type { Progress } from "./progress.js";

export interface OpenSpeechModelOptions {
  flags: {
    model: string;
    type: string;
    "remove-download": boolean;
    gpu: GpuChoice;
    threads?: number | undefined;
    offline: boolean;
    debug: boolean;
  };
  progress: Progress;
  signal: AbortSignal;
}

/** Below this, waiting for the other threads takes longer than what they compute. In bytes of model file. */
const ONE_THREAD_BYTES = 32 * 1024 * 1024;

/**
 * From the name of a model to a loaded speech session; downloads, converts and compiles what is missing.
 * @throws UserError NO_SPEECH (exit 65) for a model of another family
 */
export async function openSpeechModel({
  flags,
  progress,
  signal,
}: OpenSpeechModelOptions): Promise<SpeechSession> {
  const gpu = await resolveGpu(flags.gpu);
  const options = { removeDownload: flags["remove-download"], offline: flags.offline, gpu, progress, signal };
  const path = await prepareModelFile(flags.model, { type: flags.type, ...options });
  const engine = await ensureEngine(gpu, progress, signal);
  const log = flags.debug ? { onLog: writeLog } : {};
  const child = new EngineProcess(log);
  try {
    const facts = await readModelFacts(path);
    if (!facts.speech) {
      throw new UserError(
        "badFile",
        "NO_SPEECH",
        `${path} is a ${facts.family.title}, which does not speak`,
        "Give a CSM model, for example sesame/csm-1b.",
      );
    }
    progress.update({ label: "loading the model" });
    const cores = facts.bytes < ONE_THREAD_BYTES ? 1 : Math.min(16, availableParallelism());
    const threads = flags.threads ?? cores;
    return await SpeechSession.open({
      process: child,
      engineFolder: engine.folder,
      facts,
      threads,
      // with the other backends nobody has compared the results
      gpu: gpu === "cuda",
      signal,
    });
  } catch (error) {
    await child.close();
    throw error;
  } finally {
    progress.finish();
  }
}

function writeLog({ level, text }: { level: string; text: string }): void {
  process.stderr.write(`[engine ${level}] ${text}\n`);
}
