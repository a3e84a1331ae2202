import stringWidth from "string-width";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** How far around a place is looked for the borders of its grapheme, in UTF-16 units; the longest emoji have 35. */
const NEARBY = 128;

const ASCII = /^[\x20-\x7e]*$/;

/** Columns of a text on a terminal. */
export function columnsOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** The graphemes of a text: what a person takes for one character. */
export function graphemesOf(text: string): string[] {
  return ASCII.test(text) ? [...text] : Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** Where the grapheme before a place begins. */
export function graphemeBefore(text: string, at: number): number {
  const start = Math.max(0, at - NEARBY);
  const last = [...graphemes.segment(text.slice(start, at))].at(-1);
  return last === undefined ? at : start + last.index;
}

/** Where the grapheme that begins at a place ends. */
export function graphemeAfter(text: string, at: number): number {
  for (const { segment } of graphemes.segment(text.slice(at, at + NEARBY))) return at + segment.length;
  return at;
}

const WORD = /[\p{L}\p{N}\p{M}_]/u;

/** The beginning of the word before a place, as in a shell: white space and marks, then the word. */
export function wordBefore(text: string, at: number): number {
  return back(
    text,
    back(text, at, (char) => !WORD.test(char)),
    (char) => WORD.test(char),
  );
}

/** The end of the word behind a place. */
export function wordAfter(text: string, at: number): number {
  return forth(
    text,
    forth(text, at, (char) => !WORD.test(char)),
    (char) => WORD.test(char),
  );
}

/** The beginning of what Ctrl-W removes: up to white space. */
export function bigWordBefore(text: string, at: number): number {
  return back(
    text,
    back(text, at, (char) => /\s/.test(char)),
    (char) => !/\s/.test(char),
  );
}

function back(text: string, at: number, accept: (char: string) => boolean): number {
  while (at > 0) {
    const start = graphemeBefore(text, at);
    if (!accept(text.slice(start, at))) return at;
    at = start;
  }
  return at;
}

function forth(text: string, at: number, accept: (char: string) => boolean): number {
  while (at < text.length) {
    const end = graphemeAfter(text, at);
    if (!accept(text.slice(at, end))) return at;
    at = end;
  }
  return at;
}
