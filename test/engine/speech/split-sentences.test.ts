import { describe, expect, it } from "vitest";
import { splitSentences } from "../../../src/engine/speech/split-sentences.js";

describe("splitSentences", () => {
  it("keeps short sentences together and long texts apart at sentences", () => {
    expect(splitSentences("One. Two. Three is longer than the others. Four.", 24)).toEqual([
      "One. Two.",
      "Three is longer than",
      "the others. Four.",
    ]);
    expect(splitSentences("One. Two.", 24)).toEqual(["One. Two."]);
  });

  it("breaks a long sentence behind a comma rather than anywhere", () => {
    expect(splitSentences("when it rains in the hills, the river rises", 32)).toEqual([
      "when it rains in the hills,",
      "the river rises",
    ]);
  });

  it("does not join paragraphs, and drops empty ones", () => {
    expect(splitSentences("a\n\n  \nb", 50)).toEqual(["a", "b"]);
    expect(splitSentences(" \n ", 50)).toEqual([]);
  });

  it("knows sentences of other scripts", () => {
    expect(splitSentences("今日は雨です。明日は晴れです。", 9)).toEqual([
      "今日は雨です。",
      "明日は晴れです。",
    ]);
  });

  it("loses nothing, and keeps every part within the limit, whatever the text", () => {
    const texts = [
      "x".repeat(500),
      "word ".repeat(200),
      "🎉".repeat(100),
      "a, ".repeat(150) + "b",
      "é".repeat(77),
    ];
    for (const text of texts) {
      for (const longest of [3, 10, 64]) {
        const parts = splitSentences(text, longest);
        expect(parts.join("").replaceAll(/\s/g, ""), `${text.slice(0, 9)} at ${longest}`).toBe(
          text.replaceAll(/\s/g, ""),
        );
        expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(longest);
        expect(parts.some((part) => /\p{Surrogate}/u.test(part))).toBe(false);
      }
    }
  });
});
