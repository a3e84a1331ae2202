import path from "node:path";
import { stat } from "node:fs/promises";
import { UserError } from "../errors.js";
import { parseStrictJson, type JsonValue } from "../formats/strict-json.js";
import { openFileSource } from "../formats/byte-source.js";
import { LIMITS } from "../formats/limits.js";
import { badFile } from "../formats/bad-file.js";

/** An earlier turn of a conversation: who said what, and the file that holds how it sounded. */
export interface Turn {
  readonly speaker: number;
  readonly text: string;
  readonly audio: string;
}

/** Speaker numbers are text to the model; published ones have one digit. */
export const MAX_SPEAKER = 9999;

/**
 * Reads what the user typed after `--turn`: SPEAKER:TEXT=FILE. The text ends at the last equals sign.
 * @throws UserError TURN (exit 2)
 */
export function parseTurn(argument: string): Turn {
  const match = /^(\d{1,4}):(.*)=([^=]+)$/s.exec(argument);
  if (match && match[2]!.trim() !== "") {
    return { speaker: Number(match[1]), text: match[2]!, audio: match[3]! };
  }
  throw new UserError(
    "usage",
    "TURN",
    `--turn "${argument.slice(0, 80)}" is not of the form SPEAKER:TEXT=FILE`,
    'As in --turn "0:What they said=clip.wav".',
  );
}

const HINT = 'Expected [{"speaker": 0, "text": "what they said", "audio": "clip.wav"}, ...].';

/**
 * Reads a file of turns, as `--context` takes it. Audio is looked for beside the file, then in the working folder.
 * @throws UserError FILE_NOT_FOUND (exit 66), CONTEXT_JSON (exit 65) naming the entry
 */
export async function readTurns(file: string): Promise<Turn[]> {
  const refuse = (fault: string) => badFile("CONTEXT_JSON", file, fault, HINT);
  const document = parseStrictJson(await readDocument(file), { file, code: "CONTEXT_JSON", hint: HINT });
  if (!Array.isArray(document)) throw refuse("it holds no list of turns");
  const turns: Turn[] = [];
  for (const [index, entry] of (document as readonly JsonValue[]).entries()) {
    const place = `turn ${index + 1}`;
    if (!(entry instanceof Map)) throw refuse(`${place} is no object`);
    const speaker = speakerOf(entry.get("speaker"));
    const [text, audio] = [entry.get("text"), entry.get("audio")];
    if (speaker === undefined)
      throw refuse(`${place}: "speaker" is no whole number from 0 to ${MAX_SPEAKER}`);
    if (typeof text !== "string" || text.trim() === "") throw refuse(`${place}: "text" is no text`);
    if (typeof audio !== "string" || audio === "") throw refuse(`${place}: "audio" names no file`);
    turns.push({ speaker, text, audio: await locate(audio, file) });
  }
  return turns;
}

async function readDocument(file: string): Promise<Uint8Array> {
  const source = await openFileSource(file);
  try {
    if (source.size > LIMITS.json.documentBytes) {
      throw badFile("CONTEXT_JSON", file, `the file has ${source.size} bytes`, HINT);
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function speakerOf(value: JsonValue | undefined): number | undefined {
  const number = typeof value === "string" && /^\d{1,4}$/.test(value) ? Number(value) : value;
  const valid =
    typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= MAX_SPEAKER;
  return valid ? number : undefined;
}

async function locate(audio: string, contextFile: string): Promise<string> {
  const beside = path.resolve(path.dirname(contextFile), audio);
  const exists = await stat(beside).then(
    () => true,
    () => false,
  );
  return exists ? beside : audio;
}
