import path from "node:path";
import { badFile } from "../formats/bad-file.js";
import { MAX_SPEAKER, readSayings, readWholeFile } from "./turn.js";

/** Something that one speaker says. */
export interface Line {
  readonly speaker: number;
  readonly text: string;
}

const HINT =
  'Expected lines such as "0: What they say", or in a .json file [{"speaker": 0, "text": "what they say"}, ...].';
const ERRORS = { code: "SCRIPT", hint: HINT };

/**
 * Reads a dialogue: a .json file is a list of turns, any other file has a turn on every line that is not blank.
 * @param speaker who says the lines that name nobody
 * @throws UserError FILE_NOT_FOUND (exit 66), SCRIPT (exit 65) naming the entry or the line
 */
export async function readScript(file: string, speaker: number): Promise<Line[]> {
  const lines =
    path.extname(file).toLowerCase() === ".json" ? await readList(file) : await readLines(file, speaker);
  if (lines.length === 0) throw badFile("SCRIPT", file, "nobody says anything", HINT);
  return lines;
}

async function readList(file: string): Promise<Line[]> {
  const sayings = await readSayings(file, ERRORS);
  return sayings.map(({ place, entry, speaker, text }) => {
    if (entry.has("audio")) {
      const hint = "Turns that have audio were said already: give them with --context.";
      throw badFile("SCRIPT", file, `${place} has "audio"`, hint);
    }
    return { speaker, text };
  });
}

async function readLines(file: string, usual: number): Promise<Line[]> {
  return decoded(await readWholeFile(file, ERRORS), file)
    .split(/\r\n?|\n/)
    .flatMap((line, index) => {
      if (line.trim() === "") return [];
      // a time of day such as 9:30 names no speaker
      const [, number, words] = /^\s*(\d+)\s*:(?!\d)(.*)$/.exec(line) ?? [];
      if (number === undefined || words === undefined) return [{ speaker: usual, text: line.trim() }];
      const refuse = (fault: string) => badFile("SCRIPT", file, `line ${index + 1}: ${fault}`, HINT);
      if (Number(number) > MAX_SPEAKER)
        throw refuse(`the speaker is no whole number from 0 to ${MAX_SPEAKER}`);
      if (words.trim() === "") throw refuse(`speaker ${number} says nothing`);
      return [{ speaker: Number(number), text: words.trim() }];
    });
}

function decoded(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badFile("SCRIPT", file, "it is no UTF-8 text", "Save it as UTF-8.");
  }
}
