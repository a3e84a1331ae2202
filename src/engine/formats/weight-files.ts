import { UserError } from "../errors.js";
import { badFile } from "./bad-file.js";
import { escapeForMessage } from "./escape.js";

/** Where a checkpoint's weights are: in one file, or in the shards that an index lists. */
export interface WeightFiles {
  readonly role: "file" | "index";
  readonly name: string;
  readonly notes: readonly string[];
}

const TRANSFORMERS_INDEX = "transformers.safetensors.index.json";
/** Beside the transformers files in sesame/csm-1b. */
const ORIGINAL_CSM = "ckpt.pt";

/**
 * The index that transformers reads for CSM comes first: in that repository model.safetensors is another,
 * older layout of the same weights.
 */
const CHOICES: readonly Omit<WeightFiles, "notes">[] = [
  { name: TRANSFORMERS_INDEX, role: "index" },
  { name: "model.safetensors", role: "file" },
  { name: "model.safetensors.index.json", role: "index" },
];

/**
 * Chooses the weights among the files of a checkpoint.
 * @throws UserError CHECKPOINT_NOT_FOUND (exit 66), PICKLE (exit 65) when there are only pickles
 */
export function findWeights(names: readonly string[], label: string): WeightFiles {
  const present = new Set(names);
  const [chosen, ...others] = CHOICES.filter(({ name }) => present.has(name));
  if (!chosen) throw noWeights(names, label);
  const notes = others.map(({ name }) => `${name} was not read: ${chosen.name} comes first.`);
  return { ...chosen, notes };
}

function noWeights(names: readonly string[], label: string): UserError {
  const ending = (...endings: string[]) => names.filter((name) => endings.some((end) => name.endsWith(end)));
  const shards = ending(".safetensors");
  const pickles = ending(".bin", ".pt", ".pth", ".ckpt");
  const ggufs = ending(".gguf");
  if (shards.length === 0 && pickles.length > 0) {
    const fault = `the weights are Python pickles (${shown(pickles)}), which parley never unpacks.`;
    const csm = names.includes(ORIGINAL_CSM)
      ? ` (of sesame/csm-1b: ${TRANSFORMERS_INDEX} and what it lists)`
      : "";
    const hint = `Fetch the model's .safetensors files${csm}; pickles can run any code.`;
    return badFile("PICKLE", label, fault, hint);
  }
  let fault = `expected ${CHOICES.map(({ name }) => name).join(" or ")}`;
  let hint =
    "Give the folder that holds config.json and the .safetensors files, or download them into this one.";
  if (shards.length > 0) {
    fault += `, found ${shown(shards)} without an index`;
    const index = shards.some((name) => name.startsWith("transformers-"))
      ? TRANSFORMERS_INDEX
      : "model.safetensors.index.json";
    hint = `Download the index file (${index}) too, or name a single file model.safetensors.`;
  } else if (ggufs.length > 0) {
    fault += `, found ${shown(ggufs)}`;
    hint = "Give the .gguf file itself.";
  }
  return new UserError(
    "notFound",
    "CHECKPOINT_NOT_FOUND",
    `${escapeForMessage(label, 1000)}: ${fault}.`,
    hint,
  );
}

function shown(names: readonly string[]): string {
  const first = names.slice(0, 3).map((name) => escapeForMessage(name));
  return names.length > 3 ? `${first.join(", ")} and ${names.length - 3} more` : first.join(", ");
}
