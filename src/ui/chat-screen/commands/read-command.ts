import { stat, readFile } from "node:fs/promises";
import { UserError } from "../../../engine/errors.js";
import { expandUser } from "../../../engine/system/xdg.js";
import { safeLine } from "../../safe-text.js";
import { unreadableFile } from "../../unreadable-file.js";
import type { SlashCommand } from "./command.js";

/** More text than any context holds: 4 MiB. */
const LARGEST = 4 * 1024 * 1024;

export const readCommand: SlashCommand = {
  names: ["read"],
  argument: "FILE",
  summary: "put a text file into the next message",
  details: ["The file stands in the input as a paste; write around it, then send it."],
  complete: "files",
  async run({ argument, driver, say }) {
    if (argument === "") throw new UserError("usage", "READ_FILE", "/read takes a file.", "/read notes.txt");
    const file = expandUser(argument);
    const text = await readText(file);
    const name = argument.split(/[\\/]/).at(-1) ?? argument;
    driver.store.dispatch({ type: "paste", text: `${name}:\n${text.replace(/\n$/, "")}\n` });
    say(`${safeLine(argument)} is in the next message: ${text.length} characters`);
  },
};

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST) {
      throw new UserError(
        "usage",
        "READ_FILE",
        `${file}: ${size} bytes are too many; the limit is ${LARGEST}.`,
        "Read a part of it.",
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file)).replaceAll(/\r\n?/g, "\n");
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (!(error instanceof TypeError)) throw unreadableFile(error, file, "READ_FILE");
    throw new UserError(
      "notFound",
      "READ_FILE",
      `${file} cannot be read: it is not text in UTF-8.`,
      "Check the path.",
    );
  }
}
