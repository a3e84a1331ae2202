/** Characters a token covers, counted in code points; the end is excluded. */
export interface CharacterRange {
  start: number;
  end: number;
}

/**
 * Which characters of a text each token covers. A token that holds a part of a character covers all of it, as
 * tokenizers' offset mappings say.
 * @param pieces bytes of the tokens
 * @param text   what they spell
 * @returns undefined when the pieces do not spell the text
 */
export function characterRanges(pieces: readonly Uint8Array[], text: string): CharacterRange[] | undefined {
  const bytes = Buffer.from(text, "utf8");
  if (!Buffer.concat(pieces).equals(bytes)) return undefined;
  // character[i]: number of the character that byte i belongs to
  const character = new Uint32Array(bytes.length);
  let characters = 0;
  bytes.forEach((byte, i) => {
    const continues = (byte & 0xc0) === 0x80;
    if (!continues) characters++;
    character[i] = characters - 1;
  });
  let at = 0;
  return pieces.map(({ length }) => {
    const from = at;
    at += length;
    return length === 0
      ? { start: character[from] ?? characters, end: character[from] ?? characters }
      : { start: character[from]!, end: character[at - 1]! + 1 };
  });
}
