import { describe, expect, it } from "vitest";
import { memoryUse } from "../../../src/engine/bench/memory-use.js";
import { promptIds } from "../../../src/engine/bench/prompt-ids.js";
import { medians, spreadOf, spreads } from "../../../src/engine/bench/spread.js";

describe("spreads", () => {
  it("takes the middle, or the mean of the two in the middle", () => {
    expect(spreadOf([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 });
    expect(spreadOf([10, 1, 4, 2])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it("keeps figures apart by name", () => {
    const figures = spreads([
      { a: 3, b: 1 },
      { a: 1, b: 5 },
      { a: 2, b: 6 },
    ]);
    expect(medians(figures)).toEqual({ a: 2, b: 5 });
    expect(figures.a).toEqual({ median: 2, min: 1, max: 3 });
  });
});

describe("prompt ids", () => {
  it("are in the vocabulary, lie all over it and begin otherwise each time", () => {
    for (const vocabulary of [1, 2, 7, 448, 128_256]) {
      const prompts = [0, 1, 2].map((number) => promptIds(64, vocabulary, number));
      for (const ids of prompts) {
        expect(ids).toHaveLength(64);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < vocabulary)).toBe(true);
      }
      const first = prompts.map((ids) => ids[0]);
      expect(new Set(first).size).toBe(Math.min(3, vocabulary));
      if (vocabulary < 448) continue;
      // in each of eight parts of the vocabulary there are some
      expect(new Set(prompts[0]!.map((id) => Math.floor((8 * id) / vocabulary))).size).toBe(8);
      expect(new Set(prompts[0]).size).toBe(64);
    }
  });
});

describe("the use of memory", () => {
  it("is a share of what the machine reads, if that is known", () => {
    expect(memoryUse(2e9, 10, 40)).toEqual({
      gigabytes_per_second: 20,
      machine_gigabytes_per_second: 40,
      share: 0.5,
    });
    expect(memoryUse(2e9, 10, undefined)).toEqual({
      gigabytes_per_second: 20,
      machine_gigabytes_per_second: null,
      share: null,
    });
  });
});
