import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { unreadable } from "../formats/byte-source.js";
import { escapeForMessage } from "../formats/escape.js";
import { parseStrictJson } from "../formats/strict-json.js";
import { writeFileAtomically } from "../system/atomic-file.js";
import { outputError } from "../system/output-errors.js";
import { dataFolder } from "../system/xdg.js";
import { readWholeFile } from "./turn.js";
import { readVoice, VOICE_ERRORS, writeVoice, type Voice } from "./voice.js";

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_.-]{0,63}$/u;
const ENDING = ".json";

/** The voices that the user keeps, a file each. */
export class VoiceStore {
  constructor(readonly folder: string = path.join(dataFolder(), "voices")) {}

  /** Makes the folder, before long work begins for a voice. @throws UserError OUTPUT_FOLDER, OUTPUT_DENIED (exit 73) */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true }).catch((error: unknown) => {
      throw outputError(error, path.join(this.folder, "voice"));
    });
  }

  /** All voices by name; a file that is no voice is refused when it is asked for, not here. */
  async names(): Promise<string[]> {
    const files = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw unreadable(error, this.folder);
    });
    const names = files.filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length));
    return names.filter((name) => NAME.test(name)).sort();
  }

  /**
   * @returns its file
   * @throws UserError VOICE_NOT_FOUND (exit 66), VOICE_NAME (exit 2)
   */
  async find(name: string): Promise<string> {
    const file = this.#file(name);
    if (!(await this.names()).includes(name)) throw await this.#notFound(name);
    return file;
  }

  /** @throws UserError VOICE_NOT_FOUND (exit 66), VOICE_FILE (exit 65), VOICE_NAME (exit 2) */
  async read(name: string): Promise<Voice> {
    const file = await this.find(name);
    const bytes = await readWholeFile(file, VOICE_ERRORS);
    return readVoice(parseStrictJson(bytes, { file, ...VOICE_ERRORS }), name, file);
  }

  /** @throws UserError VOICE_NAME (exit 2), OUTPUT_EXISTS (exit 73) and others of writeFileAtomically */
  async add(voice: Voice, options: { overwrite: boolean }): Promise<string> {
    const file = this.#file(voice.name);
    await this.prepare();
    await writeFileAtomically(file, writeVoice(voice), options);
    return file;
  }

  /** @throws UserError VOICE_NOT_FOUND (exit 66), VOICE_NAME (exit 2) */
  async remove(name: string): Promise<void> {
    const file = await this.find(name);
    await rm(file).catch((error: unknown) => {
      throw outputError(error, file);
    });
  }

  /** @throws UserError VOICE_NAME (exit 2) */
  checkName(name: string): void {
    this.#file(name);
  }

  #file(name: string): string {
    if (NAME.test(name)) return path.join(this.folder, `${name}${ENDING}`);
    throw new UserError(
      "usage",
      "VOICE_NAME",
      `"${escapeForMessage(name, 80)}" is no name for a voice`,
      "Names are letters, digits, dots, underscores and hyphens, at most 64, and begin with a letter or digit.",
    );
  }

  async #notFound(name: string): Promise<UserError> {
    const names = await this.names();
    return new UserError(
      "notFound",
      "VOICE_NOT_FOUND",
      `there is no voice called ${name}`,
      names.length > 0
        ? `There are: ${names.join(", ")}.`
        : 'Keep one: parley speak voice add NAME --text "what is said" --audio clip.wav.',
    );
  }
}
