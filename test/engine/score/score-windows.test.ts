import { describe, expect, it } from "vitest";
import {
  ScoreWindows,
  type ScoreWindow,
  type WindowOptions,
} from "../../../src/engine/score/score-windows.js";

const options = (changes: Partial<WindowOptions> = {}): WindowOptions => ({
  wholeSize: 8,
  windowSize: 8,
  stride: undefined,
  prefix: [],
  ...changes,
});

/** Windows of the tokens 100, 101, ... pushed in pieces. */
function cut(length: number, piece: number, how: WindowOptions): ScoreWindow[] {
  const windows = new ScoreWindows(how);
  const found: ScoreWindow[] = [];
  const tokens = Array.from({ length }, (_, i) => 100 + i);
  for (let start = 0; start < length; start += piece) {
    found.push(...windows.push(tokens.slice(start, start + piece)));
  }
  return [...found, ...windows.end()];
}

const scored = (windows: ScoreWindow[]) => windows.flatMap(({ tokens, first }) => [...tokens.slice(first)]);

describe("ScoreWindows", () => {
  it.each([1, 3, 100])("takes a text that fits as one window, pushed %d at a time", (piece) => {
    const [only, ...more] = cut(6, piece, options({ prefix: [1, 2] }));
    expect([...only!.tokens]).toEqual([1, 2, 100, 101, 102, 103, 104, 105]);
    expect(only!.first).toBe(1);
    expect(more).toEqual([]);
  });

  it("has nothing for a single token, or for a prefix without a text", () => {
    expect(cut(1, 1, options())).toEqual([]);
    expect(cut(0, 1, options({ prefix: [1, 2] }))).toEqual([]);
    expect(cut(1, 1, options({ prefix: [1] }))).toHaveLength(1);
  });

  it.each([1, 7, 100])("scores second halves of a long text, pushed %d at a time", (piece) => {
    const windows = cut(20, piece, options());
    expect(windows.map(({ tokens }) => [tokens[0], tokens.at(-1)])).toEqual([
      [100, 107],
      [108, 115],
      [112, 119],
    ]);
    expect(scored(windows)).toEqual([104, 105, 106, 107, 112, 113, 114, 115, 116, 117, 118, 119]);
  });

  it("begins every window with the prefix", () => {
    const windows = cut(13, 4, options({ prefix: [1, 2] }));
    expect(windows.map(({ tokens }) => [...tokens.slice(0, 3)])).toEqual([
      [1, 2, 100],
      [1, 2, 106],
      [1, 2, 107],
    ]);
    expect(scored(windows)).toEqual([102, 103, 104, 105, 108, 109, 110, 111, 112]);
  });

  it.each([1, 2, 3, 4])(
    "scores every token behind the first half window once with a stride of %d",
    (stride) => {
      for (const length of [9, 10, 15, 31]) {
        const expected = Array.from({ length: length - 4 }, (_, i) => 104 + i);
        expect(scored(cut(length, 5, options({ stride })))).toEqual(expected);
      }
    },
  );

  it("never scores a token twice, whatever the sizes", () => {
    for (let length = 2; length < 60; length++) {
      for (const stride of [undefined, 3, 5, 6]) {
        for (const windowSize of [7, 8]) {
          const all = scored(cut(length, 4, options({ windowSize, stride, prefix: [1], wholeSize: 12 })));
          expect(new Set(all).size).toBe(all.length);
          expect(all.at(-1)).toBe(99 + length);
        }
      }
    }
  });
});
