const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

/** Where a sentence that is too long is broken, the best place first: behind a mark, else behind a space. */
const BREAKS = [/[,;:–—)]\s+/g, /\s+/g];

/**
 * A long text in parts a speech model can say at once: whole sentences, several short ones together, a sentence that is
 * too long broken at a comma or between words. Nothing is left out but white space at the borders.
 * @param longest UTF-16 units of a part
 */
export function splitSentences(text: string, longest: number): string[] {
  const parts: string[] = [];
  for (const paragraph of text.split(/\n+/)) {
    let part = "";
    for (const { segment } of sentences.segment(paragraph)) {
      if ((part + segment).trim().length <= longest) {
        part += segment;
        continue;
      }
      parts.push(part);
      const pieces = broken(segment, longest);
      part = pieces.pop()!;
      parts.push(...pieces);
    }
    parts.push(part);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function broken(sentence: string, longest: number): string[] {
  const pieces: string[] = [];
  let rest = sentence;
  while (rest.trim().length > longest) {
    const at = breakBefore(rest, longest);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return [...pieces, rest];
}

/** The last good place among the first `longest` units; of a word without end, a place that splits no character. */
function breakBefore(text: string, longest: number): number {
  const start = text.slice(0, longest + 1);
  for (const pattern of BREAKS) {
    const places = [...start.matchAll(pattern)].map(({ 0: { length }, index }) => index + length);
    const last = places.findLast((place) => place > longest / 3 && place <= longest);
    if (last !== undefined) return last;
  }
  const isInPair = /[\ud800-\udbff]$/.test(text.slice(0, longest));
  return isInPair && longest > 1 ? longest - 1 : longest;
}
