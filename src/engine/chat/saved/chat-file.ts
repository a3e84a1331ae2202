import { appendFile, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { isSystemError, outputError } from "../../system/output-errors.js";
import { newChatPath } from "./chat-path.js";
import { encodeRecord, type ChatContent, type ChatRecord } from "./chat-records.js";
import type { Turn } from "./turns.js";

/**
 * A chat and the file that keeps it. The file begins with the first turn: a chat in which nothing was said has none.
 * Where another process has written to the file meanwhile, this chat goes on in a file of its own, with all its turns:
 * two conversations in one file would be none. `path` tells.
 */
export class ChatFile {
  private written: Promise<void> = Promise.resolve();

  private constructor(
    private file: string,
    private current: ChatContent,
    /** bytes of the file as this process knows it; 0: there is none yet */
    private bytes: number,
  ) {}

  static begin(file: string, { model, system }: { model: string; system?: string | undefined }): ChatFile {
    const created = new Date().toISOString();
    return new ChatFile(file, { created, model, turns: [], ...(system === undefined ? {} : { system }) }, 0);
  }

  /** @param bytes size of the file that the content was read from */
  static loaded(file: string, content: ChatContent, bytes: number): ChatFile {
    return new ChatFile(file, content, bytes);
  }

  get path(): string {
    return this.file;
  }

  get id(): string {
    return path.basename(this.file, ".jsonl");
  }

  get content(): ChatContent {
    return this.current;
  }

  get turns(): readonly Turn[] {
    return this.current.turns;
  }

  /** @throws UserError DISK_*, OUTPUT_* when it cannot be written; the chat itself goes on */
  async add(turn: Turn): Promise<void> {
    this.current = { ...this.current, turns: [...this.current.turns, turn] };
    await this.write({ type: "turn", time: new Date().toISOString(), turn });
  }

  async keepFirst(turns: number): Promise<void> {
    this.current = { ...this.current, turns: this.current.turns.slice(0, turns) };
    await this.write({ type: "cut", turns });
  }

  async setSystem(text: string | undefined): Promise<void> {
    const { system: _, ...rest } = this.current;
    this.current = text === undefined ? rest : { ...rest, system: text };
    await this.write({ type: "system", text: text ?? null });
  }

  async setName(name: string): Promise<void> {
    this.current = { ...this.current, name };
    await this.write({ type: "name", name });
  }

  /** Records are written in order, each with one system call, so that a crash tears at most the last line. */
  private write(record: ChatRecord): Promise<void> {
    const content = this.current;
    const next = this.written.then(() => this.append(record, content));
    this.written = next.catch(() => undefined);
    return next;
  }

  private async append(record: ChatRecord, content: ChatContent): Promise<void> {
    const isBegun = this.bytes > 0;
    if (!isBegun && content.turns.length === 0) return;
    try {
      await mkdir(path.dirname(this.file), { recursive: true, mode: 0o700 });
      const found = await sizeOf(this.file);
      const isOurs = found === this.bytes;
      if (!isOurs && found > 0) this.file = newChatPath(path.dirname(this.file));
      // a name stays with the file that has it
      const whole = isOurs || found === 0 ? content : { ...content, name: undefined };
      const records = isOurs && isBegun ? [record] : wholeChat(whole);
      const text = records.map(encodeRecord).join("");
      const before = isOurs ? this.bytes : 0;
      await appendFile(this.file, text, { mode: 0o600 });
      this.bytes = before + Buffer.byteLength(text);
    } catch (error) {
      throw isSystemError(error) ? outputError(error, this.file) : error;
    }
  }
}

/** A chat from its beginning. */
function wholeChat({
  created,
  model,
  name,
  system,
  turns,
}: Omit<ChatContent, "name"> & { name?: string | undefined }): ChatRecord[] {
  const time = new Date().toISOString();
  return [
    { type: "chat", version: 1, created, model },
    ...(name === undefined ? [] : [{ type: "name", name } as const]),
    ...(system === undefined ? [] : [{ type: "system", text: system } as const]),
    ...turns.map((turn) => ({ type: "turn", time, turn }) as const),
  ];
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
