import { describe, expect, it } from "vitest";
import { splitLine } from "../../../src/engine/speech/split-line.js";

const sentence = "This sentence has forty-five letters in it, no? ";
const words = (text: string) => text.split(/\s+/).filter(Boolean);

describe("splitLine", () => {
  it("leaves alone what can be said at once", () => {
    const line = { speaker: 3, text: sentence.repeat(3).trim() };
    expect(splitLine(line, 10)).toEqual([line]);
    // a checkpoint of tests that asks for a second says ten all the same
    expect(splitLine(line, 1)).toEqual([line]);
  });

  it("splits at sentences what cannot, and loses nothing", () => {
    const text = sentence.repeat(12);
    const parts = splitLine({ speaker: 3, text }, 10);
    expect(parts.length).toBeGreaterThan(4);
    expect(parts.every((part) => part.speaker === 3 && part.text.length <= 120)).toBe(true);
    expect(parts.every((part) => part.text.endsWith("no?"))).toBe(true);
    expect(parts.flatMap((part) => words(part.text))).toEqual(words(text));
  });

  it("takes longer parts where the checkpoint speaks longer", () => {
    const line = { speaker: 0, text: sentence.repeat(12) };
    expect(splitLine(line, 20).length).toBeLessThan(splitLine(line, 10).length);
    expect(splitLine(line, 60)).toEqual([line]);
  });
});
