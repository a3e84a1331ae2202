import { readdir, readFile, stat, truncate } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../errors.js";
import { dataFolder } from "../../system/xdg.js";
import { ChatFile } from "./chat-file.js";
import { newChatPath } from "./chat-path.js";
import { decodeChat, type ChatContent } from "./chat-records.js";

/** A chat of the list. */
export interface ChatSummary {
  readonly id: string;
  readonly path: string;
  readonly modified: Date;
  readonly content: ChatContent;
}

/** A longer file is no chat of ours: 256 MiB. */
const LARGEST = 2 ** 28;

/** The saved chats of this user: one file of JSON lines each. */
export class ChatStore {
  constructor(private readonly folder = path.join(dataFolder(), "chats")) {}

  begin(options: { model: string; system?: string | undefined }): ChatFile {
    return ChatFile.begin(newChatPath(this.folder), options);
  }

  /** The chats, newest first; files that cannot be read are left out. */
  async list(): Promise<ChatSummary[]> {
    const chats: ChatSummary[] = [];
    for (const { file, modified } of await this.files()) {
      const content = await readChat(file).catch(() => undefined);
      if (content !== undefined) chats.push({ id: idOf(file), path: file, modified, content });
    }
    return chats;
  }

  /**
   * The chat that was written to last.
   * @throws UserError NO_CHATS (exit 66)
   */
  async newest(): Promise<ChatFile> {
    for (const { file } of await this.files()) {
      const content = await readChat(file).catch(() => undefined);
      if (content !== undefined && content.turns.length > 0) return this.load(file);
    }
    throw new UserError(
      "notFound",
      "NO_CHATS",
      `There is no saved chat in ${this.folder}.`,
      "Begin one with parley chat; it saves itself.",
    );
  }

  /**
   * A chat by its name, its id, or the beginning of its id.
   * @throws UserError CHAT_NOT_FOUND, CHAT_AMBIGUOUS (exit 66), CHAT_FILE (exit 65)
   */
  async open(wanted: string): Promise<ChatFile> {
    const files = await this.files();
    const exact = files.find(({ file }) => idOf(file) === wanted);
    if (exact) return this.load(exact.file);
    const named = (await this.list()).find(({ content }) => content.name === wanted);
    if (named) return this.load(named.path);
    const begun = files.filter(({ file }) => wanted !== "" && idOf(file).startsWith(wanted));
    if (begun.length === 1) return this.load(begun[0]!.file);
    if (begun.length > 1) {
      const ids = begun.slice(0, 5).map(({ file }) => idOf(file));
      throw new UserError(
        "notFound",
        "CHAT_AMBIGUOUS",
        `Several chats begin with ${wanted}: ${ids.join(", ")}.`,
        "Give more of the id.",
      );
    }
    throw new UserError(
      "notFound",
      "CHAT_NOT_FOUND",
      `There is no chat ${wanted}.`,
      "/chats lists them; so does the folder " + this.folder + ".",
    );
  }

  private async load(file: string): Promise<ChatFile> {
    const content = await readChat(file);
    return ChatFile.loaded(file, content, await removeTornLine(file));
  }

  private async files(): Promise<{ file: string; modified: Date }[]> {
    const names = await readdir(this.folder).catch(() => []);
    const found = await Promise.all(
      names
        .filter((name) => name.endsWith(".jsonl"))
        .map(async (name) => {
          const file = path.join(this.folder, name);
          const info = await stat(file).catch(() => undefined);
          return info?.isFile() ? [{ file, modified: info.mtime }] : [];
        }),
    );
    return found
      .flat()
      .sort((a, b) => b.modified.getTime() - a.modified.getTime() || (a.file < b.file ? 1 : -1));
  }
}

function idOf(file: string): string {
  return path.basename(file, ".jsonl");
}

async function readChat(file: string): Promise<ChatContent> {
  const { size } = await stat(file);
  if (size > LARGEST) {
    throw new UserError(
      "badFile",
      "CHAT_FILE",
      `${file}: ${size} bytes are too many for a chat.`,
      "Remove the file.",
    );
  }
  return decodeChat(await readFile(file, "utf8"), file);
}

/**
 * What a crash left of a last line goes, or the next line would be written behind it.
 * @returns bytes of the file then
 */
async function removeTornLine(file: string): Promise<number> {
  const bytes = await readFile(file);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) await truncate(file, end);
  return end;
}
