import { readFile } from "node:fs/promises";
import type { ReplyOptions } from "../engine/client/chat-session.js";
import { UserError } from "../engine/errors.js";
import { parseStrictJson } from "../engine/formats/strict-json.js";
import { toPlainData } from "./plain-data.js";
import type { SamplingRequest } from "./chat-options.js";
import { readPromptFile } from "./read-prompt.js";
import { unreadableFile } from "./unreadable-file.js";

/** Values of `parley chat` flags that need reading or checking. */
export interface ChatFlagValues {
  system?: string | undefined;
  "system-file"?: string | undefined;
  think: boolean;
  "keep-thoughts": boolean;
  temp?: string | undefined;
  "top-k"?: number | undefined;
  "top-p"?: string | undefined;
  "min-p"?: string | undefined;
  "repeat-penalty"?: string | undefined;
  seed?: number | undefined;
  "json-schema"?: string | undefined;
}

/** @throws UserError FLAG_NUMBER (exit 2) */
export function samplingFrom(flags: ChatFlagValues): SamplingRequest {
  return {
    temp: numberIn(flags.temp, "--temp", 0, 100),
    topK: flags["top-k"],
    topP: numberIn(flags["top-p"], "--top-p", 0, 1),
    minP: numberIn(flags["min-p"], "--min-p", 0, 1),
    repeatPenalty: numberIn(flags["repeat-penalty"], "--repeat-penalty", 0.01, 100),
    seed: flags.seed,
  };
}

/** @throws UserError PROMPT_FILE (exit 66, 77) */
export async function conversationFrom(flags: ChatFlagValues): Promise<ReplyOptions["conversation"]> {
  const system =
    flags["system-file"] === undefined ? flags.system : await readPromptFile(flags["system-file"]);
  return {
    ...(system === undefined ? {} : { system }),
    // a grammar leaves no room for reasoning
    thinking: flags.think && flags["json-schema"] === undefined,
    keepThoughts: flags["keep-thoughts"],
  };
}

/** @throws UserError PROMPT_FILE (exit 66), JSON_SCHEMA (exit 65) */
export async function schemaFrom(flags: ChatFlagValues): Promise<unknown> {
  const file = flags["json-schema"];
  if (file === undefined) return undefined;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadableFile(error, file, "PROMPT_FILE");
  });
  const hint =
    'Write a JSON schema, such as {"type": "object", "properties": {"answer": {"type": "string"}}}.';
  return toPlainData(parseStrictJson(bytes, { file, code: "JSON_SCHEMA", hint }));
}

/** "1, 2,3" -> [1, 2, 3]. @throws UserError TOKEN_LIST (exit 2) */
export function tokenListFrom(text: string, flag: string): number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.every((part) => /^\d{1,9}$/.test(part))) return parts.map(Number);
  throw new UserError(
    "usage",
    "TOKEN_LIST",
    `${flag} expects token ids with commas between them, found "${text.slice(0, 60)}".`,
    `Write ${flag} 1,2,3.`,
  );
}

function numberIn(text: string | undefined, flag: string, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new UserError(
    "usage",
    "FLAG_NUMBER",
    `${flag} expects a number from ${least} to ${most}, found "${text.slice(0, 60)}".`,
  );
}
