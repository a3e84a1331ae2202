import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { lastCut, textPieces } from "../../../src/engine/score/text-pieces.js";

async function pieces(bytes: Buffer, size: number): Promise<string[]> {
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
  const found: string[] = [];
  for await (const { text } of textPieces(Readable.from(chunks), "a.txt")) found.push(text);
  return found;
}

describe("lastCut", () => {
  it.each([
    ["ab\ncd", 3],
    ["ab\n\ncd", 4],
    ["ab\n cd ef", 6],
    ["ab\n  ", undefined],
    ["one two", 3],
    ["1 2", undefined],
    ["a  b", undefined],
    ["a.\r\nb", 4],
    ["", undefined],
  ])("of %j is %s", (text, cut) => {
    expect(lastCut(text)).toBe(cut);
  });
});

describe("textPieces", () => {
  const text = "Größe: 水车 👩‍🌾\n\n  two words\r\nend\n".repeat(9);

  it.each([1, 2, 7, 1000])("spell the text, read %d bytes at a time", async (size) => {
    expect((await pieces(Buffer.from(text), size)).join("")).toBe(text);
  });

  it("keep a byte order mark and a line end at the end", async () => {
    expect(await pieces(Buffer.from("\ufeffa\n"), 2)).toEqual(["\ufeffa\n"]);
    expect(await pieces(Buffer.alloc(0), 2)).toEqual([]);
  });

  it.each([
    ["a byte that begins nothing", Buffer.from([0x61, 0xff, 0x62]), "in the 2 bytes after byte 0"],
    ["half a character at the end", Buffer.from("é").subarray(0, 1), "it ends within a character"],
  ])("refuse %s", async (_name, bytes, place) => {
    await expect(pieces(bytes, 2)).rejects.toMatchObject({
      code: "TEXT_ENCODING",
      exit: "badFile",
      message: expect.stringContaining(place) as string,
    });
  });

  it("end although there is no place to cut", async () => {
    const parts = await pieces(Buffer.from("7".repeat(9 * 1024 * 1024)), 1024 * 1024);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(9 * 1024 * 1024);
  });
});
