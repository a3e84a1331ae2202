import { readFile } from "node:fs/promises";
import { unreadableFile } from "./unreadable-file.js";

export interface PromptParts {
  /** words of the command line; "-" stands for standard input */
  words: readonly string[];
  /** -p */
  prompt?: string | undefined;
  /** -f */
  file?: string | undefined;
  stdin: NodeJS.ReadStream;
}

/**
 * Puts the prompt together: standard input (when it is no terminal), then the file, then the words, with a blank
 * line between them. Line ends at the end of standard input are not part of the prompt.
 * @returns undefined when there is nothing and a person sits at the terminal
 * @throws UserError PROMPT_FILE (exit 66)
 */
export async function readPrompt({ words, prompt, file, stdin }: PromptParts): Promise<string | undefined> {
  const asked = words.includes("-");
  const typed = [...(prompt === undefined ? [] : [prompt]), ...words.filter((word) => word !== "-")].join(
    " ",
  );
  const piped = asked || !stdin.isTTY ? (await readAll(stdin)).replace(/[\r\n]+$/, "") : "";
  const fromFile = file === undefined ? "" : await readPromptFile(file);
  const parts = [piped, fromFile, typed].filter((part) => part !== "");
  if (parts.length > 0) return parts.join("\n\n");
  return stdin.isTTY && !asked ? undefined : "";
}

export async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  return (await readBytes(stream)).toString("utf8");
}

export async function readBytes(stream: NodeJS.ReadStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** @throws UserError PROMPT_FILE (exit 66, 77) */
export async function readPromptFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadableFile(error, file, "PROMPT_FILE");
  }
}

/** A text of the command line; "-" stands for standard input, without the line break at its end. */
export async function textOrStdin(text: string): Promise<string> {
  return text === "-" ? (await readAll(process.stdin)).replace(/\r?\n$/, "") : text;
}
