import { availableParallelism } from "node:os";
import type { ModelTensor } from "../inspect/open-model.js";
import { needsNative, streamStats, type StatsProgress } from "../inspect/stream-stats.js";
import { EngineProcess } from "./engine-process.js";

/**
 * Reads tensors and gives their numbers, in this process, or in an engine process where some are quantised.
 * @param engineFolder called only then; it may build the engine first
 * @throws as streamStats; UserError ENGINE_*
 */
export async function* runStats(
  tensors: readonly ModelTensor[],
  engineFolder: () => Promise<string>,
  signal?: AbortSignal,
): AsyncGenerator<StatsProgress, void> {
  if (!tensors.some(({ type }) => needsNative(type))) {
    yield* streamStats(tensors, undefined, signal);
    return;
  }
  const folder = await engineFolder();
  const engine = new EngineProcess({ poolSize: 3 });
  try {
    const params = { engineFolder: folder, tensors: [...tensors], threads: availableParallelism() };
    yield* engine.stream("tensorStats", params, signal);
  } finally {
    await engine.close();
  }
}
