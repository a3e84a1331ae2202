import { graphemeAfter } from "../input/graphemes.js";

/**
 * Where to cut a text so that its first part is as long as fits: behind a line break or else white space where there is
 * any in what fits, not too near its beginning; else between two graphemes. At least one grapheme is taken.
 * @param fits does this much of the text fit? true for shorter parts whenever it is true for longer ones
 */
export function cutWithin(
  text: string,
  fits: (part: string) => boolean,
  { atSpaces }: { readonly atSpaces: boolean },
): number {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (fits(text.slice(0, middle))) low = middle;
    else high = middle - 1;
  }
  if (low === text.length) return low;
  if (atSpaces) {
    const line = text.slice(0, low).lastIndexOf("\n") + 1;
    if (line > low / 4) return line;
    const space = /\s\S*$/.exec(text.slice(0, low + 1));
    if (space !== null && space.index + 1 > low / 2) return space.index + 1;
  }
  let at = graphemeAfter(text, 0);
  // graphemes are found from a little before the place on; the text may be long
  if (low > 64) at = Math.max(at, low - 64);
  if (isInPair(text, at)) at++;
  for (let next = graphemeAfter(text, at); next <= low && next > at; next = graphemeAfter(text, at))
    at = next;
  return at;
}

function isInPair(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "");
}
