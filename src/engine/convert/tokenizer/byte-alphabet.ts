/**
 * The 256 characters that stand for bytes in byte-level BPE (`bytes_to_unicode` of GPT-2): printable bytes are
 * themselves, the others follow from U+0100 on.
 */
const BYTE_ALPHABET: ReadonlySet<string> = new Set(alphabet());

function alphabet(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

/** Is the text made of characters of the alphabet only, so that it can be turned back into bytes? */
export function isByteLevel(text: string): boolean {
  for (const character of text) if (!BYTE_ALPHABET.has(character)) return false;
  return true;
}
