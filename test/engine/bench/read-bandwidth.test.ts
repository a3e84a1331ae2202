import { expect, it } from "vitest";
import { besideMemory } from "../../../src/engine/bench/beside-memory.js";
import type { BenchProgress } from "../../../src/engine/bench/bench-progress.js";
import { bestRate, readBandwidth } from "../../../src/engine/bench/read-bandwidth.js";

const MIB = 2 ** 20;
const never = new AbortController().signal;

it("a pass lasts from the first thread's beginning to the last one's end, and the fastest counts", () => {
  const one = [
    { began: 0, ended: 10 },
    { began: 100, ended: 104 },
  ];
  const other = [
    { began: 1, ended: 11 },
    { began: 101, ended: 105 },
  ];
  // 5 milliseconds for 10 MB
  expect(bestRate([one, other], 1e7)).toBe(2);
});

it("several threads read memory together", async () => {
  const rate = await readBandwidth(2, never, 4 * 128 * MIB);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThan(10_000);
});

it("nothing is measured where too little memory is free to get past the caches", async () => {
  expect(await readBandwidth(2, never, 4 * 127 * MIB)).toBeUndefined();
});

it("an abort ends it", async () => {
  const controller = new AbortController();
  const reading = readBandwidth(1, controller.signal, 4 * 256 * MIB);
  controller.abort(new Error("ended"));
  await expect(reading).rejects.toThrow("ended");
});

async function* benchmark(): AsyncGenerator<BenchProgress, string> {
  yield { label: "measuring", done: 0, total: 1, unit: "steps" };
  return "result";
}

it.each([
  ["before and after on the CPU", 1, ["reading memory", "measuring", "reading memory"]],
  ["not at all on a GPU", 0, ["measuring"]],
])("memory is measured %s", async (_name, threads, labels) => {
  const run = besideMemory(benchmark(), threads, never);
  const seen: string[] = [];
  let step = await run.next();
  for (; step.done !== true; step = await run.next()) seen.push(step.value.label);
  expect(seen).toEqual(labels);
  expect(step.value.result).toBe("result");
  expect(step.value.machine === undefined).toBe(threads === 0);
});
