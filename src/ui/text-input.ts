import { open } from "node:fs/promises";
import { UserError } from "../engine/errors.js";

/** A text that is read as it is needed. */
export interface TextInput {
  /** how errors name it */
  name: string;
  stream: AsyncIterable<Uint8Array>;
  /** in bytes, where it is known */
  size: { total: number } | undefined;
  close: () => void;
}

/** Bytes that are read, and of which the tokens are held, at a time. */
const READ_BYTES = 256 * 1024;

/**
 * Opens a file, or standard input for "-" and for nothing at all.
 * @throws UserError TEXT_FILE (exit 66), USAGE (exit 2) when a person sits at the terminal
 */
export async function openTextInput(file: string | undefined, usage: string): Promise<TextInput> {
  if (file === undefined || file === "-") {
    if (process.stdin.isTTY) throw new UserError("usage", "USAGE", "There is no text.", usage);
    return { name: "standard input", stream: process.stdin, size: undefined, close: () => undefined };
  }
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      await handle.close();
      throw new Error("it is a folder");
    }
    const stream = handle.createReadStream({ highWaterMark: READ_BYTES });
    const size = stats.isFile() ? { total: stats.size } : undefined;
    return { name: file, stream, size, close: () => stream.destroy() };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = missing ? "does not exist" : `cannot be read: ${(error as Error).message}`;
    throw new UserError("notFound", "TEXT_FILE", `${file} ${reason}.`, "Check the path.", { cause: error });
  }
}
