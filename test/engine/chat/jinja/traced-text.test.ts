import { describe, expect, it } from "vitest";
import { TracedText } from "../../../../src/engine/chat/jinja/traced-text.js";
import { seededRandom } from "../../../helpers/seeded-random.js";

const own = (text: string): TracedText => TracedText.own(text);
const foreign = (text: string): TracedText => TracedText.foreign(text);

/** Which characters are foreign, as a string of F and o. */
function origins(text: TracedText): string {
  const marks = new Array<string>(text.length).fill("o");
  for (let i = 0; i < text.foreign.length; i += 2) marks.fill("F", text.foreign[i], text.foreign[i + 1]);
  return marks.join("");
}

describe("TracedText", () => {
  it("keeps the origin of every character when texts are joined and cut", () => {
    const text = TracedText.join([own("ab"), foreign("cd"), foreign("e"), own("f")]);
    expect(text.value).toBe("abcdef");
    expect(text.foreign).toEqual([2, 5]);
    expect(text.slice(3)).toMatchObject({ value: "def", foreign: [0, 2] });
    expect(text.slice(0, 2)).toMatchObject({ value: "ab", foreign: [] });
    expect(text.slice(4, 2)).toMatchObject({ value: "", foreign: [] });
  });

  it("keeps it when a change makes texts longer or shorter", () => {
    const upper = TracedText.join([own("aß"), foreign("ßb"), own("c")]).mapRuns((run) => run.toUpperCase());
    expect(upper).toMatchObject({ value: "ASSSSBC", foreign: [3, 6] });
    expect(upper.mapRuns(() => "")).toMatchObject({ value: "", foreign: [] });
  });

  it("counts a computed text as foreign when anything in it is", () => {
    expect(TracedText.mixed("ab", { foreign: true }).foreign).toEqual([0, 2]);
    expect(TracedText.mixed("ab", { foreign: false }).foreign).toEqual([]);
  });

  it("agrees with a string of origins, whatever is done", () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = seededRandom(seed);
      let text = own("");
      let expected = { value: "", origins: "" };
      for (let step = 0; step < 12; step++) {
        const piece = "xyz".slice(0, random.integer(4));
        const isForeign = random.integer(2) === 0;
        text = TracedText.join([text, isForeign ? foreign(piece) : own(piece)]);
        expected = {
          value: expected.value + piece,
          origins: expected.origins + (isForeign ? "F" : "o").repeat(piece.length),
        };
        if (random.integer(4) > 0) continue;
        const [start, end] = [random.integer(4), text.length - random.integer(3)];
        text = text.slice(start, end).repeat(1 + random.integer(2));
        const times = Math.round(text.length / Math.max(1, Math.max(start, end) - start)) || 1;
        const cut = (whole: string): string => whole.slice(start, Math.max(start, end)).repeat(times);
        expected = { value: cut(expected.value), origins: cut(expected.origins) };
      }
      expect({ value: text.value, origins: origins(text) }).toEqual(expected);
    }
  });
});
