import { describe, expect, it } from "vitest";
import { compareTraces } from "../../../src/engine/trace/compare-traces.js";
import type { Frame } from "../../../src/engine/trace/frame.js";
import { asFrame, storedTraces } from "./stored-traces.js";

const observed = (event: "call" | "line", source: string, locals: Record<string, string>): Frame => ({
  event,
  source,
  locals: new Map(Object.entries(locals)),
});
const real: Frame[] = [
  observed("call", "def f(a):\n", { a: "1" }),
  observed("line", "    b = a\n", { a: ".." }),
  observed("line", "    return b\n", { a: "..", b: "<A object>" }),
  { event: "return", source: "    return b\n", value: "<A object>" },
];

describe("compareTraces", () => {
  it("finds each of 200 traces equal to itself", () => {
    for (const { frames } of storedTraces()) {
      const trace = frames.map(asFrame);
      const result = compareTraces(trace, trace);
      expect(result.departure).toBeUndefined();
      expect(result.agreeing).toBe(trace.length);
      for (const { right, total } of Object.values(result.accuracy)) expect(right).toBe(total);
    }
  });

  it("does not mind addresses, line ends, and values written out instead of ..", () => {
    const other = [
      ...real.slice(0, 1),
      observed("line", "    b = a", { a: "1" }),
      observed("line", "    return b", { a: "1", b: "<A object at 0x7f00>" }),
      ...real.slice(3),
    ];
    expect(compareTraces(other, real).departure).toBeUndefined();
  });

  it("names the first part that differs, and counts all", () => {
    const wrong = [...real];
    wrong[1] = observed("line", "    b = a\n", { a: "2", c: "3" });
    wrong[3] = { event: "return", source: "    return b\n", value: "None" };
    const result = compareTraces(wrong, real);
    expect(result.departure).toEqual({ frame: 1, field: "locals", name: "a", predicted: "2", actual: "1" });
    expect(result.agreeing).toBe(1);
    // the wrong value of a stays wrong where it is said to be unchanged
    expect(result.agrees).toEqual([true, false, false, false]);
    expect(result.accuracy).toEqual({
      frames: { right: 1, total: 4 },
      event: { right: 4, total: 4 },
      line: { right: 4, total: 4 },
      locals: { right: 2, total: 5 },
      value: { right: 0, total: 1 },
    });
  });

  it("counts frames that are missing, and names those that are too many", () => {
    expect(compareTraces(real.slice(0, 2), real)).toMatchObject({
      agreeing: 2,
      departure: { frame: 2, field: "missing" },
      accuracy: { event: { right: 2, total: 4 }, value: { right: 0, total: 1 } },
    });
    expect(compareTraces([...real, ...real], real)).toMatchObject({
      agreeing: 4,
      departure: { frame: 4, field: "extra" },
      accuracy: { frames: { right: 4, total: 4 } },
    });
    expect(compareTraces(real.slice(0, 2), real, 2).departure).toBeUndefined();
  });
});
