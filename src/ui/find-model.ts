import { resolveGpu } from "../engine/build/gpu.js";
import { type ModelFacts, readModelFacts } from "../engine/client/model-facts.js";
import type { OpenTextModelOptions } from "./open-text-model.js";
import { prepareModelFile } from "./prepare-model.js";

/**
 * The model that the user names, downloaded and converted if need be, but not loaded: for commands that do
 * different things with models that write and models that speak.
 * @throws UserError of the reference, the download, the conversion or the file
 */
export async function findModel({
  model,
  flags,
  progress,
  signal,
}: OpenTextModelOptions): Promise<ModelFacts> {
  const path = await prepareModelFile(model, {
    type: flags.type,
    removeDownload: flags["remove-download"],
    offline: flags.offline,
    gpu: await resolveGpu(flags.gpu),
    progress,
    signal,
  });
  return readModelFacts(path);
}
