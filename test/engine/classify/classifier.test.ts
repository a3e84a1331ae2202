import { describe, expect, it } from "vitest";
import { characterRanges } from "../../../src/engine/classify/character-ranges.js";
import {
  classScores,
  pooledPosition,
  rankClasses,
  type Classifier,
} from "../../../src/engine/classify/classifier.js";

const classifier = (changes: Partial<Classifier>): Classifier => ({
  kind: "sequence",
  labels: ["a", "b", "c"],
  problemType: undefined,
  padToken: undefined,
  ...changes,
});

describe("pooledPosition", () => {
  it.each([
    [[5, 6, 7], undefined, 2],
    [[5, 6, 9, 9], 9, 1],
    [[9, 5, 9, 6, 9], 9, 3],
    [[9, 9], 9, 0],
    [[5, 9, 9], undefined, 2],
    [[7], 9, 0],
  ])("of %j with padding %s is %d", (tokens, pad, position) => {
    expect(pooledPosition(tokens, pad)).toBe(position);
  });
});

describe("classScores", () => {
  const logits = Float32Array.of(0, Math.log(2), Math.log(5));

  it("are a softmax, also of large logits", () => {
    expect(classScores(classifier({}), logits).map((score) => score.toFixed(4))).toEqual([
      "0.1250",
      "0.2500",
      "0.6250",
    ]);
    expect(classScores(classifier({}), Float32Array.of(1000, 1000))).toEqual([0.5, 0.5]);
  });

  it("are sigmoids for one class, or for classes that do not exclude each other", () => {
    expect(classScores(classifier({ labels: ["x"] }), Float32Array.of(0))).toEqual([0.5]);
    const several = classifier({ problemType: "multi_label_classification" });
    expect(classScores(several, logits)[1]).toBeCloseTo(2 / 3, 6);
  });

  it("are the logits of a regression, and a softmax for tokens in any case", () => {
    expect(classScores(classifier({ problemType: "regression" }), logits)).toEqual([...logits]);
    expect(classScores(classifier({ kind: "token", labels: ["x"] }), Float32Array.of(3))).toEqual([1]);
    const odd = classifier({ kind: "token", problemType: "regression" });
    expect(classScores(odd, logits)[2]).toBeCloseTo(0.625, 6);
  });
});

describe("rankClasses", () => {
  it("puts the highest logit first and keeps the order of equal ones", () => {
    const ranked = rankClasses(classifier({}), Float32Array.of(1, 2, 2), 3);
    expect(ranked.map(({ label }) => label)).toEqual(["b", "c", "a"]);
    expect(rankClasses(classifier({}), Float32Array.of(1, 2, 2), 1)).toHaveLength(1);
  });
});

describe("characterRanges", () => {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text));

  it("counts code points, and gives a part of a character the whole of it", () => {
    const wheel = bytes("👩");
    expect(
      characterRanges([bytes("a"), wheel.subarray(0, 1), wheel.subarray(1), bytes(" é")], "a👩 é"),
    ).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 2 },
      { start: 1, end: 2 },
      { start: 2, end: 4 },
    ]);
  });

  it("gives tokens without bytes no characters", () => {
    expect(characterRanges([bytes(""), bytes("ab"), bytes("")], "ab")).toEqual([
      { start: 0, end: 0 },
      { start: 0, end: 2 },
      { start: 2, end: 2 },
    ]);
  });

  it("does not guess when the pieces spell another text", () => {
    expect(characterRanges([bytes("a")], "b")).toBeUndefined();
  });
});
