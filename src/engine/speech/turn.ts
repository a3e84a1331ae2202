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
  const turns: Turn[] = [];
  for (const { place, entry, speaker, text } of await readSayings(file, {
    code: "CONTEXT_JSON",
    hint: HINT,
  })) {
    const audio = entry.get("audio");
    if (typeof audio !== "string" || audio === "")
      throw badFile("CONTEXT_JSON", file, `${place}: "audio" names no file`, HINT);
    turns.push({ speaker, text, audio: await locate(audio, file) });
  }
  return turns;
}

/** An entry of a list of turns, with what every turn has. */
interface Saying {
  /** as messages name it */
  readonly place: string;
  readonly entry: ReadonlyMap<string, JsonValue>;
  readonly speaker: number;
  readonly text: string;
}

/**
 * Reads a JSON list of objects that have a speaker and a text.
 * @param errors code of the refusals, and the hint that says what was expected
 * @throws UserError FILE_NOT_FOUND (exit 66), and the given code (exit 65) naming the entry
 */
export async function readSayings(file: string, errors: { code: string; hint: string }): Promise<Saying[]> {
  const refuse = (fault: string) => badFile(errors.code, file, fault, errors.hint);
  const document = parseStrictJson(await readWholeFile(file, errors), { file, ...errors });
  if (!Array.isArray(document)) throw refuse("it holds no list of turns");
  return (document as readonly JsonValue[]).map((entry, index) => {
    const place = `turn ${index + 1}`;
    if (!(entry instanceof Map)) throw refuse(`${place} is no object`);
    const speaker = speakerOf(entry.get("speaker"));
    const text = entry.get("text");
    if (speaker === undefined)
      throw refuse(`${place}: "speaker" is no whole number from 0 to ${MAX_SPEAKER}`);
    if (typeof text !== "string" || text.trim() === "") throw refuse(`${place}: "text" is no text`);
    return { place, entry, speaker, text };
  });
}

/** @throws UserError FILE_NOT_FOUND (exit 66), and the given code (exit 65) for a file that is too large */
export async function readWholeFile(
  file: string,
  { code, hint }: { code: string; hint: string },
): Promise<Uint8Array> {
  const source = await openFileSource(file);
  try {
    if (source.size > LIMITS.json.documentBytes)
      throw badFile(code, file, `the file has ${source.size} bytes`, hint);
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
