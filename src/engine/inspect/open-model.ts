import { readCheckpointTexts } from "../convert/checkpoint-texts.js";
import type { CheckpointTexts } from "../families/family.js";
import { openCheckpoint, type Checkpoint } from "../formats/checkpoint.js";
import { localCheckpointSource, type CheckpointSource } from "../formats/checkpoint-source.js";
import { readGguf } from "../formats/gguf-reader.js";
import type { GgufFile } from "../formats/gguf.js";
import { Hub } from "../hub/hub.js";
import { openHubCheckpoint } from "../hub/hub-checkpoint.js";
import { parseModelReference } from "../hub/model-reference.js";
import { textsInGguf } from "./gguf-texts.js";

/** A tensor of any format. */
export interface ModelTensor {
  readonly name: string;
  /** As the file says it, in capitals: "BF16", "Q4_K". */
  readonly type: string;
  /** Outermost dimension first, in both formats. */
  readonly shape: readonly number[];
  /** Path of the file that holds it (its label, for a file that is not local). */
  readonly file: string;
  /** Position of the first byte, counted from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** A model as its files show it, before anybody asks what family it belongs to. */
export interface OpenModel {
  /** How messages name it: path, or repository and commit. */
  readonly label: string;
  readonly format: "gguf" | "safetensors";
  readonly texts: CheckpointTexts;
  readonly tensors: readonly ModelTensor[];
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Present for GGUF files. */
  readonly gguf?: GgufFile;
  /** Present for checkpoints. */
  readonly checkpoint?: Checkpoint;
  /** Present for a repository that is read by ranges. */
  readonly origin?: { readonly repo: string; readonly revision: string };
  readonly notes: readonly string[];
}

export interface OpenModelOptions {
  readonly offline: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens what a MODEL names for looking at it: headers and small text files are read, of a Hub repository by ranges.
 * @throws UserError of the reference, the readers and the Hub
 */
export async function withModel<Result>(
  name: string,
  { offline, signal }: OpenModelOptions,
  use: (model: OpenModel) => Promise<Result>,
): Promise<Result> {
  const reference = await parseModelReference(name);
  if (reference.kind === "gguf") return use(await openGguf(reference.path));
  if (reference.kind !== "hub") return use(await openFiles(localCheckpointSource(reference.path)));
  const hub = await Hub.open({ offline });
  try {
    const remote = await openHubCheckpoint(hub, reference, { signal });
    const origin = { repo: reference.repo, revision: remote.state.commit };
    return await use({ ...(await openFiles(remote)), origin });
  } finally {
    hub.close();
  }
}

async function openGguf(path: string): Promise<OpenModel> {
  const gguf = await readGguf(path, { purpose: "inspect" });
  return {
    label: path,
    format: "gguf",
    texts: textsInGguf(gguf),
    tensors: gguf.tensors.map(({ name, type, dims, offset, bytes, file }) => {
      return { name, type, shape: dims.toReversed(), file: file ?? gguf.path, offset, bytes };
    }),
    files: gguf.parts.map(({ path: file, size }) => ({ path: file, bytes: size })),
    gguf,
    notes: gguf.notes,
  };
}

async function openFiles(source: CheckpointSource): Promise<OpenModel> {
  // The tokenizer may have 20 MB, and nothing here shows more of it than tokenizer_config.json says.
  const texts = await readCheckpointTexts(source, { without: ["tokenizer.json"] });
  const checkpoint = await openCheckpoint(source);
  return {
    label: source.label,
    format: "safetensors",
    texts,
    tensors: [...checkpoint.tensors.values()].map(({ dtype, ...tensor }) => ({ ...tensor, type: dtype })),
    files: checkpoint.files.map(({ path, size }) => ({ path, bytes: size })),
    checkpoint,
    notes: checkpoint.notes,
  };
}
