import { badFile } from "../formats/bad-file.js";
import { MAX_SPEAKER } from "./turn.js";
import type { JsonObject, JsonValue } from "../formats/strict-json.js";

/** A turn that gives later speech its voice, with its audio as codes. */
export interface Voice {
  readonly name: string;
  readonly speaker: number;
  /** what is said in the audio */
  readonly text: string;
  /** of the codec whose codes they are (codec-fingerprint.ts) */
  readonly codec: string;
  readonly codebooks: number;
  readonly seconds: number;
  /** ISO 8601 */
  readonly created: string;
  /** [frames, codebooks] */
  readonly codes: Int32Array;
}

const FORMAT = 1;
/** How a file is refused that holds no voice. */
export const VOICE_ERRORS = {
  code: "VOICE_FILE",
  hint: "Remove it with parley speak voice rm, and add it again.",
};

export function writeVoice({ codes, ...voice }: Voice): string {
  return `${JSON.stringify({ format: FORMAT, ...voice, codes: [...codes] })}\n`;
}

/**
 * @param document what parseStrictJson() made of the file
 * @throws UserError VOICE_FILE (exit 65)
 */
export function readVoice(document: JsonValue, name: string, file: string): Voice {
  const refuse = (fault: string) => badFile(VOICE_ERRORS.code, file, fault, VOICE_ERRORS.hint);
  if (!(document instanceof Map)) throw refuse("it holds no object");
  const entry = document as JsonObject;
  if (entry.get("format") !== FORMAT) throw refuse(`"format" is not ${FORMAT}`);
  const text = (key: string): string => {
    const value = entry.get(key);
    if (typeof value !== "string" || value.trim() === "") throw refuse(`"${key}" is no text`);
    return value;
  };
  const number = (key: string): number => {
    const value = entry.get(key);
    if (typeof value !== "number" || !(value >= 0 && value < 1e9)) throw refuse(`"${key}" is no number`);
    return value;
  };
  const whole = (value: JsonValue | undefined): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
  const [speaker, codebooks, codes] = [number("speaker"), number("codebooks"), entry.get("codes")];
  if (!whole(speaker) || speaker > MAX_SPEAKER)
    throw refuse(`"speaker" is no whole number from 0 to ${MAX_SPEAKER}`);
  if (!whole(codebooks) || codebooks === 0) throw refuse(`"codebooks" is no whole number above 0`);
  const created = text("created");
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(created)) throw refuse(`"created" is no date`);
  if (!Array.isArray(codes) || codes.length === 0 || codes.length % codebooks !== 0 || !codes.every(whole)) {
    throw refuse(`"codes" is no list of frames of ${codebooks} codes`);
  }
  return {
    name,
    speaker,
    text: text("text"),
    codec: text("codec"),
    codebooks,
    seconds: number("seconds"),
    created,
    codes: Int32Array.from(codes),
  };
}
