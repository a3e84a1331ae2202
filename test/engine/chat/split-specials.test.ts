import { describe, expect, it } from "vitest";
import { splitSpecials, type SpecialToken } from "../../../src/engine/chat/split-specials.js";
import { readReference } from "./reference-data.js";
import { seededRandom } from "../../helpers/seeded-random.js";

interface Cut {
  template?: string;
  specials: string[];
  text: string;
  /** Special tokens as one-element lists, text as strings. */
  pieces: (string | [string])[];
}

const tokens = (texts: readonly string[]): SpecialToken[] => texts.map((text, i) => ({ text, id: 1000 + i }));

describe("splitSpecials", () => {
  it.each(readReference<Cut[]>("chat-segments.json"))(
    "cuts $text as tokenizers does",
    ({ specials, text, pieces }) => {
      const segments = splitSpecials({ text, foreign: [] }, tokens(specials));
      expect(segments.map((segment) => (segment.kind === "special" ? [segment.text] : segment.text))).toEqual(
        pieces,
      );
      for (const segment of segments)
        if (segment.kind === "special") expect(segment.id).toBe(1000 + specials.indexOf(segment.text));
    },
  );

  it.each([
    ["spelled out by the user", "<|a|>", [0, 5]],
    ["begun by the user", "<|a|>", [0, 3]],
    ["completed by the user", "<|a|>", [3, 5]],
    ["with one character of the user's in it", "<|a|>", [2, 3]],
  ])("leaves a token %s as text", (_, text, foreign) => {
    expect(splitSpecials({ text, foreign }, tokens(["<|a|>"]))).toEqual([{ kind: "text", text }]);
  });

  it("takes a shorter token of the template's where the longest would need a character of the user's", () => {
    const segments = splitSpecials({ text: "<a><b>", foreign: [3, 6] }, tokens(["<a>", "<a><b>"]));
    expect(segments).toEqual([
      { kind: "special", id: 1000, text: "<a>" },
      { kind: "text", text: "<b>" },
    ]);
  });

  it("takes a token that stands between two texts of the user's", () => {
    const segments = splitSpecials({ text: "<|<a>a>", foreign: [0, 2, 5, 7] }, tokens(["<a>"]));
    expect(segments.map(({ text }) => text)).toEqual(["<|", "<a>", "a>"]);
  });

  it("knows special tokens that hold characters of patterns, and ones that Unicode leaves without meaning", () => {
    const texts = ["[gMASK]", "a.c", "\\d", "(x|y)", "^", "$", "\uffff", "\ufffe"];
    const text = `${texts.join("abc1 ")}\uffff`;
    const segments = splitSpecials({ text, foreign: [text.length - 1, text.length] }, tokens(texts));
    expect(segments.filter(({ kind }) => kind === "special").map((segment) => segment.text)).toEqual(texts);
  });

  it("has nothing to cut without special tokens or without text", () => {
    expect(splitSpecials({ text: "a", foreign: [] }, [])).toEqual([{ kind: "text", text: "a" }]);
    expect(splitSpecials({ text: "", foreign: [] }, tokens(["a"]))).toEqual([]);
    expect(splitSpecials({ text: "ab", foreign: [] }, tokens([""]))).toEqual([{ kind: "text", text: "ab" }]);
  });

  it("never takes a foreign character into a special token and never loses text", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const random = seededRandom(seed);
      const word = (length: number): string =>
        Array.from({ length }, () => random.pick(["a", "b", "<"])).join("");
      const text = word(random.integer(20));
      const foreign: number[] = [];
      for (let at = random.integer(4); at < text.length; at += 1 + random.integer(4)) {
        const end = Math.min(text.length, at + 1 + random.integer(4));
        foreign.push(at, end);
        at = end;
      }
      const specials = [...new Set([word(1), word(2), word(3)])];
      const segments = splitSpecials({ text, foreign }, tokens(specials));
      expect(segments.map((segment) => segment.text).join("")).toBe(text);
      let at = 0;
      for (const segment of segments) {
        const end = at + segment.text.length;
        const overlaps = foreign.some((start, i) => i % 2 === 0 && start < end && foreign[i + 1]! > at);
        if (segment.kind === "special") expect(overlaps).toBe(false);
        at = end;
      }
    }
  });
});
