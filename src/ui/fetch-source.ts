import { planConversion, type PlanOptions } from "../engine/convert/convert-checkpoint.js";
import type { Origin } from "../engine/convert/general-metadata.js";
import { layoutOutput } from "../engine/convert/output-files.js";
import type { ConversionPlan } from "../engine/convert/plan.js";
import { download } from "../engine/hub/download.js";
import { Hub } from "../engine/hub/hub.js";
import { openHubCheckpoint } from "../engine/hub/hub-checkpoint.js";
import type { OutputType } from "../engine/tensors/output-type.js";
import { parseModelReference, type ModelReference } from "../engine/hub/model-reference.js";
import { removeSnapshot } from "../engine/hub/remove-snapshot.js";
import { deviceOf, requireDiskSpace } from "../engine/system/disk.js";
import { showDownload } from "./download-progress.js";
import type { Progress } from "./progress.js";

export interface FetchSourceOptions {
  readonly offline: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly type: PlanOptions["type"];
  readonly depthType?: OutputType;
  /** Folder that the conversion will write to. */
  readonly outputFolder: string;
}

/**
 * A folder or GGUF file on disk for what the user names. A Hub repository is downloaded first, when the disk holds
 * the download and the conversion.
 * @throws UserError of the reference, the plan or the download, DISK_SPACE (exit 74)
 */
export async function fetchSource(
  model: string,
  { offline, progress, signal, outputFolder, ...types }: FetchSourceOptions,
): Promise<{ source: string; origin?: Origin }> {
  const reference = await parseModelReference(model);
  if (reference.kind !== "hub") return { source: reference.path };
  const hub = await Hub.open({ offline });
  try {
    const { plan, origin } = await planRemote(hub, reference, types, signal);
    const outputBytes = layoutOutput(plan, "model.gguf").reduce((sum, file) => sum + file.totalBytes, 0);
    const together = (await deviceOf(hub.environment.hubCache)) === (await deviceOf(outputFolder));
    if (!together) {
      const need = { folder: outputFolder, bytes: outputBytes, purpose: origin.repo };
      await requireDiskSpace(need, hub.freeBytes);
    }
    const { repo, revision } = reference;
    const request = {
      repo,
      revision,
      commit: origin.revision,
      selection: {},
      laterBytes: together ? outputBytes : 0,
    };
    const run = download(hub, request, { signal });
    const show = showDownload(progress);
    let step = await run.next();
    for (; step.done !== true; step = await run.next()) show(step.value);
    return { source: step.value.path, origin };
  } finally {
    progress.finish();
    hub.close();
  }
}

/**
 * Plans the conversion of what the user names; of a Hub repository only headers and small files are read.
 * @throws as fetchSource
 */
export async function planSource(
  model: string,
  { offline, signal, ...types }: Pick<FetchSourceOptions, "offline" | "signal" | "type" | "depthType">,
): Promise<ConversionPlan> {
  const reference = await parseModelReference(model);
  if (reference.kind !== "hub") return planConversion(reference.path, types);
  const hub = await Hub.open({ offline });
  try {
    return (await planRemote(hub, reference, types, signal)).plan;
  } finally {
    hub.close();
  }
}

/** Deletes a download from the Hugging Face cache, but for what other commits share with it. */
export async function removeDownload({ repo, revision }: Origin): Promise<void> {
  const hub = await Hub.open({ offline: true });
  if (revision !== undefined) await removeSnapshot(hub.cacheOf(repo), revision);
  hub.close();
}

async function planRemote(
  hub: Hub,
  reference: Extract<ModelReference, { kind: "hub" }>,
  types: PlanOptions,
  signal: AbortSignal,
): Promise<{ plan: ConversionPlan; origin: Required<Origin> }> {
  const remote = await openHubCheckpoint(hub, reference, { signal });
  const origin = { repo: reference.repo, revision: remote.state.commit };
  return { plan: await planConversion(remote, { ...types, origin }), origin };
}
