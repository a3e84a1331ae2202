import { appendFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { isSystemError, outputError } from "../../system/output-errors.js";
import { encodeRecord, type ChatContent, type ChatRecord } from "./chat-records.js";
import type { Turn } from "./turns.js";

/** A chat and the file that keeps it. The file begins with the first turn: a chat in which nothing was said has none. */
export class ChatFile {
  private written: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private current: ChatContent,
    private exists: boolean,
  ) {}

  static begin(file: string, { model, system }: { model: string; system?: string | undefined }): ChatFile {
    const created = new Date().toISOString();
    return new ChatFile(
      file,
      { created, model, turns: [], ...(system === undefined ? {} : { system }) },
      false,
    );
  }

  static loaded(file: string, content: ChatContent): ChatFile {
    return new ChatFile(file, content, true);
  }

  get id(): string {
    return path.basename(this.path, ".jsonl");
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
    if (this.exists) await this.write({ type: "system", text: text ?? null });
  }

  async setName(name: string): Promise<void> {
    this.current = { ...this.current, name };
    if (this.exists) await this.write({ type: "name", name });
  }

  /** Records are written in order, each with one system call, so that a crash tears at most the last line. */
  private write(record: ChatRecord): Promise<void> {
    const records = this.exists ? [record] : [...this.opening(), record];
    this.exists = true;
    const text = records.map(encodeRecord).join("");
    const next = this.written.then(async () => {
      try {
        await mkdir(path.dirname(this.path), { recursive: true, mode: 0o700 });
        await appendFile(this.path, text, { mode: 0o600 });
      } catch (error) {
        throw isSystemError(error) ? outputError(error, this.path) : error;
      }
    });
    this.written = next.catch(() => undefined);
    return next;
  }

  private opening(): ChatRecord[] {
    const { created, model, name, system } = this.current;
    return [
      { type: "chat", version: 1, created, model },
      ...(name === undefined ? [] : [{ type: "name", name } as const]),
      ...(system === undefined ? [] : [{ type: "system", text: system } as const]),
    ];
  }
}
