import { readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../engine/errors.js";
import { readBytes } from "../read-prompt.js";
import { unreadableFile } from "../unreadable-file.js";

export interface TraceSource {
  text: string;
  /** where the program's imports are looked for when it is executed */
  folder: string;
  /** how messages name it */
  name: string;
}

/**
 * The program: a file, or standard input.
 * @param file "-" is standard input; without a file it is taken when it is no terminal
 * @throws UserError NO_PROGRAM (exit 2), PROGRAM_FILE (exit 66), PROGRAM_ENCODING (exit 65)
 */
export async function readTraceSource(
  file: string | undefined,
  stdin: NodeJS.ReadStream,
): Promise<TraceSource> {
  if (file === undefined && stdin.isTTY) {
    throw new UserError(
      "usage",
      "NO_PROGRAM",
      "There is no program to trace.",
      "Name a file: parley trace FILE.py",
    );
  }
  if (file === undefined || file === "-") {
    const name = "standard input";
    return { text: decode(await readBytes(stdin), name), folder: process.cwd(), name };
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadableFile(error, file, "PROGRAM_FILE");
  });
  return { text: decode(bytes, file), folder: path.dirname(path.resolve(file)), name: file };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError("badFile", "PROGRAM_ENCODING", `${name} is no UTF-8 text.`, "Save it as UTF-8.", {
      cause: error,
    });
  }
}
