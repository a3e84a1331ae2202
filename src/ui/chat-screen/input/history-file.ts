import { appendFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomically } from "../../../engine/system/atomic-file.js";
import { dataFolder } from "../../../engine/system/xdg.js";

const MOST_ENTRIES = 2000;

/** A longer message is saved with its chat but not in the history, in UTF-16 units. */
const LONGEST_ENTRY = 20_000;

/** The messages sent in all chats, a JSON string per line. A history that cannot be read or written is no reason to stop. */
export class HistoryFile {
  constructor(private readonly file = path.join(dataFolder(), "chat-history.jsonl")) {}

  async read(): Promise<string[]> {
    const text = await readFile(this.file, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = lines.slice(-MOST_ENTRIES).flatMap(parseEntry);
    if (lines.length > 2 * MOST_ENTRIES) {
      const kept = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      await writeFileAtomically(this.file, kept, { overwrite: true }).catch(() => undefined);
    }
    return entries;
  }

  async append(message: string): Promise<void> {
    if (message.length > LONGEST_ENTRY) return;
    try {
      await mkdir(path.dirname(this.file), { recursive: true, mode: 0o700 });
      await appendFile(this.file, `${JSON.stringify(message)}\n`, { mode: 0o600 });
    } catch {
      // a read-only home folder: the history lives as long as the screen
    }
  }
}

function parseEntry(line: string): string[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "string" ? [entry] : [];
  } catch {
    return [];
  }
}
