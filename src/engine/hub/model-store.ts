import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rmdir, stat, unlink, utimes } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { escapeForMessage } from "../formats/escape.js";
import { writeFileAtomically } from "../system/atomic-file.js";
import { cacheFolder } from "../system/xdg.js";
import {
  checkManifest,
  manifestName,
  type Manifest,
  type SourceIdentity,
  type StoredModel,
} from "./stored-model.js";

export type { SourceIdentity, StoredModel } from "./stored-model.js";

/**
 * The converted models, a folder each: `<cache>/models/<name>-<type>-<key>/{<name>-<type>.gguf, model.json}`.
 * `PARLEY_HOME` and `XDG_CACHE_HOME` move it (system/xdg.ts). Everything in it can be made again.
 */
export class ModelStore {
  constructor(readonly folder: string = path.join(cacheFolder(), "models")) {}

  /** Complete models, by id. */
  async list(): Promise<StoredModel[]> {
    const names = await readdir(this.folder).catch(() => []);
    const models = await Promise.all(names.sort().map((name) => this.#read(name)));
    return models.filter((model) => model !== undefined);
  }

  /** The model made from this source for this `--type`, if there is one. */
  async find(source: SourceIdentity, type: string): Promise<StoredModel | undefined> {
    const models = await this.list();
    return models.find((model) => model.source.content === source.content && isMadeFor(model, source, type));
  }

  /** The model that was made last from a source of this name. */
  async findLatest(
    source: Pick<SourceIdentity, "name" | "converter">,
    type: string,
  ): Promise<StoredModel | undefined> {
    const models = await this.list();
    return models
      .filter((model) => model.source.name === source.name && isMadeFor(model, source, type))
      .sort((a, b) => a.created.localeCompare(b.created))
      .at(-1);
  }

  /** Notes that a model is being used now. */
  async touch(model: StoredModel): Promise<void> {
    const now = new Date();
    await utimes(path.join(this.folder, model.id, manifestName), now, now).catch(() => undefined);
  }

  /** Lock file of the conversion of a source; a second process waits for the first. */
  lockPath(source: SourceIdentity): string {
    return path.join(this.folder, ".locks", `${keyOf(source)}.lock`);
  }

  /** Where a conversion should write. Leftovers of one that was interrupted are removed. */
  async prepare(source: SourceIdentity, type: string): Promise<{ id: string; file: string }> {
    const name = slugOf(source.name);
    const id = `${name}-${type}-${keyOf(source)}`;
    await this.#removeFolder(id);
    await mkdir(path.join(this.folder, id), { recursive: true });
    return { id, file: path.join(this.folder, id, `${name}-${type}.gguf`) };
  }

  /** Makes a converted file findable. */
  async add(
    id: string,
    model: Pick<StoredModel, "source" | "type" | "askedFor" | "family"> & { file: string; created?: string },
  ): Promise<StoredModel> {
    const { source, type, askedFor, family, file } = model;
    const { size } = await stat(file);
    const created = model.created ?? new Date().toISOString();
    const manifest: Manifest = {
      source,
      type,
      askedFor,
      family,
      file: path.basename(file),
      bytes: size,
      created,
    };
    await writeFileAtomically(
      path.join(this.folder, id, manifestName),
      `${JSON.stringify(manifest, undefined, 2)}\n`,
      {
        overwrite: true,
      },
    );
    return { id, source, type, askedFor, family, path: file, bytes: size, created, lastUsed: created };
  }

  /** Notes that this model is also what `type` gives, so that it is found under that name. */
  async alsoAskedFor(model: StoredModel, type: string): Promise<void> {
    if (model.type === type || model.askedFor.includes(type)) return;
    await this.add(model.id, { ...model, askedFor: [...model.askedFor, type], file: model.path });
  }

  /**
   * The models that a word of the user's means: an id, a name, or the start of an id that fits one model only.
   * @throws UserError MODEL_NOT_STORED (exit 66)
   */
  async match(word: string): Promise<StoredModel[]> {
    const models = await this.list();
    const exact = models.filter(
      (model) => model.id === word || model.source.name === word || model.path === word,
    );
    const starting = models.filter((model) => word !== "" && model.id.startsWith(word));
    const matches = exact.length > 0 ? exact : starting.length === 1 ? starting : [];
    if (matches.length > 0) return matches;
    const ids = models.map((model) => model.id);
    throw new UserError(
      "notFound",
      "MODEL_NOT_STORED",
      `the store has no model "${escapeForMessage(word)}"`,
      ids.length === 0
        ? "The store is empty."
        : `It has ${ids.slice(0, 10).join(", ")}; \`parley models\` lists all.`,
    );
  }

  /**
   * Removes a model. Only files directly in its folder inside the store are deleted, one by one; links are
   * removed, not followed.
   */
  async remove(model: StoredModel): Promise<void> {
    await this.#removeFolder(model.id);
  }

  async #removeFolder(id: string): Promise<void> {
    const folder = path.join(this.folder, id);
    if (path.dirname(folder) !== path.resolve(this.folder)) throw new Error(`${folder} is not in the store`);
    const info = await lstat(folder).catch(() => undefined);
    if (info === undefined) return;
    if (!info.isDirectory()) throw new Error(`${folder} is no folder of the store`);
    // The manifest first: a model that is half removed must not be found.
    const names = (await readdir(folder)).sort(
      (a, b) => Number(b === manifestName) - Number(a === manifestName),
    );
    for (const name of names) await unlink(path.join(folder, name));
    await rmdir(folder);
  }

  async #read(id: string): Promise<StoredModel | undefined> {
    const folder = path.join(this.folder, id);
    try {
      if (!(await lstat(folder)).isDirectory()) return undefined;
      const manifestFile = path.join(folder, manifestName);
      const { file, ...manifest } = checkManifest(JSON.parse(await readFile(manifestFile, "utf8")));
      const model = path.join(folder, path.basename(file));
      // A file of another size is not the one that was noted: somebody cut or replaced it.
      if ((await stat(model)).size !== manifest.bytes) return undefined;
      return { id, ...manifest, path: model, lastUsed: (await stat(manifestFile)).mtime.toISOString() };
    } catch {
      return undefined;
    }
  }
}

function isMadeFor(model: StoredModel, source: Pick<SourceIdentity, "converter">, type: string): boolean {
  return (
    model.source.converter === source.converter && (model.type === type || model.askedFor.includes(type))
  );
}

function keyOf(source: SourceIdentity): string {
  return createHash("sha256").update(`${source.content}\0${source.converter}`).digest("hex").slice(0, 10);
}

/** "facebook/cwm" becomes "facebook--cwm"; a path, the name of its folder. */
function slugOf(name: string): string {
  const short = path.isAbsolute(name) ? path.basename(name) : name.replace("/", "--");
  return short.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80) || "model";
}
