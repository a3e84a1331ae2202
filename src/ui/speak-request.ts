import { randomInt } from "node:crypto";
import path from "node:path";
import type { SpeechRequest } from "../engine/client/plan-speech.js";
import { UserError } from "../engine/errors.js";
import { readScript, type Line } from "../engine/speech/script.js";
import { readSpeechTexts } from "./read-speech-texts.js";
import { checkOutputFlags, type OutputFlags } from "./speech-outputs.js";

/**
 * What is to be said.
 * @param words of the command line
 * @returns for each file the lines in it: with `batch` one each, else all in one
 * @throws UserError NO_TEXT, USAGE (exit 2); errors of readScript
 */
export async function readLines(
  words: readonly string[],
  { script, batch, speaker }: { script?: string | undefined; batch: boolean; speaker: number },
): Promise<Line[][]> {
  if (script !== undefined && words.length > 0) {
    throw new UserError(
      "usage",
      "USAGE",
      "--script and a text both say what to speak",
      "Leave one of them out.",
    );
  }
  const lines =
    script === undefined
      ? (await readSpeechTexts(words, process.stdin, { batch })).map((text) => ({ speaker, text }))
      : await readScript(script, speaker);
  return batch ? lines.map((line) => [line]) : [lines];
}

/**
 * Refuses combinations that cannot work before a model is loaded.
 * @throws UserError USAGE (exit 2)
 */
export function checkSpeakFlags(
  flags: OutputFlags & { retries: number; play: boolean },
  count: number,
): void {
  checkOutputFlags(flags, count);
  const { output, codes } = flags;
  if (codes !== undefined && output !== "-" && path.resolve(codes) === path.resolve(output)) {
    throw new UserError(
      "usage",
      "USAGE",
      "-o and --codes name the same file",
      "Give each a name of its own.",
    );
  }
  const usage = (message: string) => new UserError("usage", "USAGE", message, "Leave one of them out.");
  const streams = flags.output === "-" ? "-o -" : flags.stream ? "--stream" : undefined;
  if (flags.retries > 0 && streams !== undefined)
    throw usage(`${streams} sends what --retries would take back`);
  if (flags.play && flags.output === "-") throw usage("-o - and --play contradict each other");
  if (flags.play && flags.format === "s16le")
    throw usage("--play needs a header, and --format s16le has none");
}

/** The sampling that was asked for; the seed is drawn where none was given. */
export function speechRequest(flags: {
  "max-seconds"?: number | undefined;
  "kv-type": "auto" | "f16" | "f32";
  greedy: boolean;
  seed?: number | undefined;
  temp?: number | undefined;
  "top-k"?: number | undefined;
  "depth-temp"?: number | undefined;
  "depth-top-k"?: number | undefined;
}): SpeechRequest {
  return {
    maxSeconds: flags["max-seconds"],
    kvType: flags["kv-type"],
    seed: flags.greedy ? 0 : (flags.seed ?? randomInt(2 ** 32)),
    sampling: {
      temperature: flags.greedy ? 0 : flags.temp,
      topK: flags["top-k"],
      depthTemperature: flags.greedy ? 0 : flags["depth-temp"],
      depthTopK: flags["depth-top-k"],
    },
  };
}
