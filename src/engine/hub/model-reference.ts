import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { unreadable } from "../formats/byte-source.js";
import { escapeForMessage } from "../formats/escape.js";
import { packageRoot } from "../system/package-root.js";
import { expandUser } from "../system/xdg.js";
import { parseRepoRevision, type RepoRevision } from "./repo-id.js";

/** What the user means by a MODEL. Paths are absolute. */
export type ModelReference =
  | { readonly kind: "gguf"; readonly path: string }
  | { readonly kind: "folder"; readonly path: string }
  | ({ readonly kind: "hub" } & RepoRevision)
  /** A checkpoint that parley brings along; `path` is its folder. */
  | { readonly kind: "bundled"; readonly name: string; readonly path: string };

/** Folder of the checkpoints that parley brings along; the name of each is its folder's. */
function bundledFolder(): string {
  return path.join(packageRoot(), "models");
}

/**
 * Finds out what a MODEL is. What exists on disk under exactly that path comes first, then the bundled models, then
 * the Hub; `./name` and `hf://org/name` say it outright.
 * @throws UserError MODEL_NOT_FOUND (exit 66), MODEL_FOLDER, MODEL_FILE (exit 65), FILE_DENIED (exit 77)
 */
export async function parseModelReference(
  text: string,
  options: { bundled?: string; variables?: Readonly<Record<string, string | undefined>> } = {},
): Promise<ModelReference> {
  const bundled = options.bundled ?? bundledFolder();
  if (!/^(hf|https):\/\//.test(text) && text !== "") {
    const file = expandUser(text, options.variables);
    const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES") throw unreadable(error, file);
      return undefined;
    });
    if (info?.isDirectory() === true) return describeFolder(file);
    if (info?.isFile() === true) return describeFile(file);
    if (looksLikePath(text))
      throw notFound(text, `there is no file or folder ${escapeForMessage(file, 1000)}`, "Check the path.");
  }
  const names = await bundledNames(bundled);
  if (names.includes(text)) return { kind: "bundled", name: text, path: path.join(bundled, text) };
  const repo = parseRepoRevision(text);
  if (repo !== undefined) return { kind: "hub", ...repo };
  const hint = `Give a .gguf file, a checkpoint folder, a Hub id such as facebook/cwm, or a bundled model: ${names.join(", ") || "none"}.`;
  throw notFound(text, `"${escapeForMessage(text)}" is not the name of a model`, hint);
}

/** How a reference is written, so that it means the same from any folder. */
export function formatReference(reference: ModelReference): string {
  switch (reference.kind) {
    case "hub":
      return reference.revision === "main" ? reference.repo : `${reference.repo}@${reference.revision}`;
    case "bundled":
      return reference.name;
    default:
      return reference.path;
  }
}

/** Names of the checkpoints that parley brings along. */
export async function bundledNames(folder: string = bundledFolder()): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && /^[a-z0-9][a-z0-9._-]*$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

async function describeFolder(folder: string): Promise<ModelReference> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(error, folder);
  });
  if (names.includes("config.json")) return { kind: "folder", path: folder };
  const models = names.filter((name) => name.toLowerCase().endsWith(".gguf"));
  if (models.length === 1) return { kind: "gguf", path: path.join(folder, models[0] ?? "") };
  const hint =
    models.length > 1
      ? `Name one of its files: ${models
          .slice(0, 5)
          .map((name) => escapeForMessage(name))
          .join(", ")}.`
      : "Give the folder that holds config.json and the .safetensors files, or a .gguf file.";
  throw new UserError(
    "badFile",
    "MODEL_FOLDER",
    `${escapeForMessage(folder, 1000)} has no config.json: it is no checkpoint`,
    hint,
  );
}

function describeFile(file: string): ModelReference {
  if (file.toLowerCase().endsWith(".gguf")) return { kind: "gguf", path: file };
  const hint = /\.(safetensors|json)$/i.test(file)
    ? `Give the folder it is in: ${path.dirname(file)}.`
    : "Give a .gguf file, or a checkpoint folder.";
  throw new UserError("badFile", "MODEL_FILE", `${escapeForMessage(file, 1000)} is no .gguf file`, hint);
}

function looksLikePath(text: string): boolean {
  return /^[.~/\\]|^[A-Za-z]:[\\/]|\.gguf$|[\\/]$/i.test(text) || text.split(/[\\/]/).length > 2;
}

function notFound(text: string, message: string, hint: string): UserError {
  const shown = text === "" ? "the name of the model is empty" : message;
  return new UserError("notFound", "MODEL_NOT_FOUND", shown, hint);
}
