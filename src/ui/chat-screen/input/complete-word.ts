import { readdir } from "node:fs/promises";
import path from "node:path";
import { expandUser } from "../../../engine/system/xdg.js";

/** What Tab would put in the place of the text from `start` to the cursor. */
export interface Completion {
  readonly start: number;
  readonly candidates: readonly string[];
}

/** Candidates that are shown when there are several. */
export const SHOWN_CANDIDATES = 12;

/** The names in a folder that a path begun as `typed` may mean; folders end with "/". */
export async function completeFile(typed: string): Promise<string[]> {
  const slash = typed.lastIndexOf("/") + 1;
  const [folder, begun] = [typed.slice(0, slash), typed.slice(slash)];
  const entries = await readdir(expandUser(folder === "" ? "." : folder), { withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter(({ name }) => name.startsWith(begun) && (begun.startsWith(".") || !name.startsWith(".")))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
    .sort();
}

/** Is a word of a message meant as a file name? */
export function looksLikePath(word: string): boolean {
  return /^(?:\.{1,2}|~)?\//.test(word) || word.startsWith(`.${path.sep}`);
}

/** The longest text all candidates begin with. */
export function commonStart(candidates: readonly string[]): string {
  let common = candidates[0] ?? "";
  for (const candidate of candidates) {
    while (!candidate.startsWith(common)) common = common.slice(0, -1);
  }
  // never half of a surrogate pair
  return /[\ud800-\udbff]$/.test(common) ? common.slice(0, -1) : common;
}
