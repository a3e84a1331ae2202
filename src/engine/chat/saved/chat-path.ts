import { randomBytes } from "node:crypto";
import path from "node:path";

/** A name for a new chat in a folder: its time, and something that no other chat of that second has. */
export function newChatPath(folder: string): string {
  const time = new Date()
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, "")
    .replace("T", "-");
  return path.join(folder, `${time}-${randomBytes(2).toString("hex")}.jsonl`);
}
