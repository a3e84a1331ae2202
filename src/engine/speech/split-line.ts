import type { Line } from "./script.js";
import { splitSentences } from "./split-sentences.js";

/** UTF-16 units that even a fast speaker says in a second. */
const UNITS_PER_SECOND = 16;
/** Of what could be said at once, a part takes so much: room for a slow speaker. */
const PART_SHARE = 0.75;
/** Seconds that every published model was trained to say at once. */
const LEAST_SECONDS = 10;

/**
 * Splits what is too long to be said at once at its sentences; what is not stays as it is.
 * @param seconds the longest speech that the checkpoint asks for
 */
export function splitLine({ speaker, text }: Line, seconds: number): Line[] {
  const most = Math.floor(UNITS_PER_SECOND * Math.max(LEAST_SECONDS, seconds));
  if (text.length <= most) return [{ speaker, text }];
  return splitSentences(text, Math.floor(PART_SHARE * most)).map((part) => ({ speaker, text: part }));
}
