import { fingerprintFolder } from "./folder-fingerprint.js";
import type { Hub } from "./hub.js";
import type { ModelConverter } from "./model-converter.js";
import { formatReference, type ModelReference } from "./model-reference.js";
import type { ModelStore, SourceIdentity, StoredModel } from "./model-store.js";

/** A GGUF file that can be run. */
export interface ReadyModel {
  readonly path: string;
  /** The store's entry, unless the user gave the file itself. */
  readonly stored?: StoredModel;
}

/** Where to look, and for what. */
export interface FindOptions {
  readonly hub: Hub;
  readonly store: ModelStore;
  readonly converter: ModelConverter;
  /** Output type, or "auto". */
  readonly type: string;
}

/**
 * The GGUF file of a model, if nothing has to be fetched or made for it. Opens no socket.
 *
 * A branch of a Hub model is taken to be where it was when it was last downloaded: `parley download` looks again.
 */
export async function findReadyModel(
  reference: ModelReference,
  options: FindOptions,
): Promise<ReadyModel | undefined> {
  if (reference.kind === "gguf") return { path: reference.path };
  const commit =
    reference.kind === "hub"
      ? await options.hub.cacheOf(reference.repo).readRef(reference.revision)
      : undefined;
  if (reference.kind === "hub" && commit === undefined) {
    // The download may have been removed after the conversion, and with it the note where the branch was.
    const made = { name: formatReference(reference), converter: options.converter.version };
    return useStored(await options.store.findLatest(made, options.type), options.store);
  }
  const identity = await identify(reference, commit, options.converter);
  return useStored(await options.store.find(identity, options.type), options.store);
}

/** What the reference means now, by content. `commit` is that of a Hub model. */
export async function identify(
  reference: Exclude<ModelReference, { kind: "gguf" }>,
  commit: string | undefined,
  converter: ModelConverter,
): Promise<SourceIdentity> {
  const content =
    reference.kind === "hub"
      ? `hub:${reference.repo}@${commit}`
      : `folder:${await fingerprintFolder(reference.path)}`;
  return { name: formatReference(reference), content, converter: converter.version };
}

/** Notes the use of a stored model. */
export async function useStored(
  model: StoredModel | undefined,
  store: ModelStore,
): Promise<ReadyModel | undefined> {
  if (model === undefined) return undefined;
  await store.touch(model);
  return { path: model.path, stored: model };
}
