import { ensureEngine } from "./ensure-engine.js";
import { showDownload } from "./download-progress.js";
import type { Progress } from "./progress.js";
import type { GpuBackend } from "../engine/build/gpu.js";
import { storeConverter } from "../engine/client/store-converter.js";
import { Hub } from "../engine/hub/hub.js";
import { parseModelReference } from "../engine/hub/model-reference.js";
import { ModelStore } from "../engine/hub/model-store.js";
import { prepareModel } from "../engine/hub/prepare-model.js";

export interface PrepareModelOptions {
  /** --type */
  type: string;
  /** --remove-download */
  removeDownload: boolean;
  offline: boolean;
  gpu: GpuBackend;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * The GGUF file of a MODEL as the user names it, downloaded and converted if need be, with progress.
 * @throws UserError of the reference, the download or the conversion
 */
export async function prepareModelFile(
  model: string,
  { type, removeDownload, offline, gpu, progress, signal }: PrepareModelOptions,
): Promise<string> {
  const reference = await parseModelReference(model);
  if (reference.kind === "gguf") return reference.path;

  const hub = await Hub.open({ offline });
  const showDownloadEvent = showDownload(progress);
  const converter = storeConverter(async () => (await ensureEngine(gpu, progress, signal)).folder);
  const source = removeDownload ? "remove" : "keep";
  const events = prepareModel(reference, { hub, store: new ModelStore(), converter, type, source, signal });
  try {
    for (;;) {
      const step = await events.next();
      if (step.done) return step.value.path;
      const event = step.value;
      if (event.type === "download") showDownloadEvent(event.event);
      else if (event.type === "waiting") {
        progress.update({ label: `waiting for process ${event.pid ?? "?"}, which converts this model` });
      } else {
        progress.update({
          label: `converting ${model}, once`,
          done: event.doneBytes,
          total: event.totalBytes,
          unit: "bytes",
        });
      }
    }
  } finally {
    progress.finish();
    hub.close();
  }
}
