import { badFile } from "../formats/bad-file.js";

/** A part of a text, and the bytes it was. */
export interface TextPiece {
  text: string;
  bytes: number;
}

/** Characters of a text that are looked through for a place to cut. */
const LONGEST = 4 * 1024 * 1024;

/**
 * A UTF-8 stream in pieces whose tokens, one after another, are the tokens of the whole: tokenizers of the Llama-3
 * and GLM-4 kind split a text at these places anyway. Only in a run of 4 Mi characters without such a place is a cut
 * made where a token may span it.
 * @throws UserError TEXT_ENCODING (exit 65) for bytes that are no UTF-8
 */
export async function* textPieces(
  stream: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<TextPiece> {
  // a byte order mark is text like any other
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let open = "";
  let openBytes = 0;
  let read = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      const place = bytes
        ? `somewhere in the ${bytes.length} bytes after byte ${read}`
        : "it ends within a character";
      throw badFile(
        "TEXT_ENCODING",
        name,
        `the text is not UTF-8 (${place}).`,
        "Convert it, for example with iconv.",
      );
    }
  };
  for await (const bytes of stream) {
    open += decode(bytes);
    openBytes += bytes.length;
    read += bytes.length;
    const cut = lastCut(open) ?? (open.length > LONGEST ? wholeCharacters(open) : undefined);
    if (cut === undefined) continue;
    const share = Math.round((openBytes * cut) / open.length);
    yield { text: open.slice(0, cut), bytes: share };
    open = open.slice(cut);
    openBytes -= share;
  }
  open += decode();
  if (open !== "") yield { text: open, bytes: openBytes };
}

/** After the last line end before a character that is no space; else before the last space between two letters. */
export function lastCut(text: string): number | undefined {
  for (let i = text.length - 1; i > 0; i--) {
    const before = text[i - 1]!;
    if ((before === "\n" || before === "\r") && !/\s/.test(text[i]!)) return i;
  }
  for (let i = text.length - 2; i > 0; i--) {
    if (text[i] === " " && /^\p{L}$/u.test(text[i - 1]!) && /^\p{L}$/u.test(text[i + 1]!)) return i;
  }
  return undefined;
}

/** Length of the text without a first half of a surrogate pair at its end. */
function wholeCharacters(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length;
}
