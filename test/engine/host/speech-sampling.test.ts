import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NativeSpeech } from "../../../src/engine/host/speech-binding.js";
import { convertTo, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { loadNative, PATHS } from "../../helpers/speech.js";

const DRAWS = 100_000;
const NO_CODE = Number.NEGATIVE_INFINITY;

/** A spread like that of a model's logits: from likely to hopeless. */
const LOGITS = Float32Array.from({ length: 53 }, (_, id) => 3 * Math.sin(id * 2.1) - id / 20);

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  file = await convertTo(folder, repositoryFile("test/fixtures/csm-six"), "f32");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** transformers: TemperatureLogitsWarper, TopKLogitsWarper, softmax. */
function probabilities(logits: Float32Array, temperature: number, topK: number): number[] {
  const least = topK === 0 ? NO_CODE : [...logits].sort((a, b) => b - a)[topK - 1]!;
  const weights = [...logits].map((logit) => (logit < least ? 0 : Math.exp(logit / temperature)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * How many standard deviations the chi-square statistic lies above its mean (its degrees of freedom).
 * Ids expected fewer than five times are counted together.
 */
function deviation(ids: Int32Array, expected: number[]): number {
  const counts = expected.map(() => 0);
  for (const id of ids) counts[id]!++;
  let rare = { count: 0, expected: 0 };
  const cells: { count: number; expected: number }[] = [];
  for (const [id, probability] of expected.entries()) {
    const cell = { count: counts[id]!, expected: probability * ids.length };
    if (cell.expected >= 5) cells.push(cell);
    else rare = { count: rare.count + cell.count, expected: rare.expected + cell.expected };
  }
  if (rare.expected >= 1) cells.push(rare);
  const statistic = cells.reduce((sum, cell) => sum + (cell.count - cell.expected) ** 2 / cell.expected, 0);
  const freedom = cells.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

describe.each(PATHS)("$way", ({ plain }) => {
  let native: NativeSpeech;
  beforeAll(async () => {
    ({ native } = await loadNative(file, { plain }));
  });
  afterAll(() => native.dispose());

  const draw = (logits: Float32Array, temperature: number, topK: number, seed = 1, draws = DRAWS) =>
    native.sample(logits, { temperature, topK, seed, draws });

  it.each([
    [1, 0],
    [0.9, 50],
    [0.9, 10],
    [0.4, 0],
    [2.5, 7],
    [1, 53],
    [1, 2],
  ])("draws from the softmax at temperature %d, top-k %d", async (temperature, topK) => {
    const expected = probabilities(LOGITS, temperature, topK);
    const ids = await draw(LOGITS, temperature, topK);
    expect(ids.every((id) => expected[id]! > 0)).toBe(true);
    expect(deviation(ids, expected)).toBeLessThan(4);
    // the test itself can fail: another temperature is another distribution
    expect(deviation(ids, probabilities(LOGITS, temperature * 1.5, topK))).toBeGreaterThan(4);
  });

  it("draws the same for a seed, and other ids for another", async () => {
    const first = await draw(LOGITS, 1, 0, 42, 1000);
    expect(await draw(LOGITS, 1, 0, 42, 1000)).toEqual(first);
    expect(await draw(LOGITS, 1, 0, 43, 1000)).not.toEqual(first);
    expect(await draw(LOGITS, 1, 0, 2 ** 53 - 1, 1000)).not.toEqual(first);
  });

  it("takes the likeliest id at temperature 0 and with top-k 1", async () => {
    const best = LOGITS.indexOf(Math.max(...LOGITS));
    expect(new Set(await draw(LOGITS, 0, 0, 1, 100))).toEqual(new Set([best]));
    expect(new Set(await draw(LOGITS, 0.9, 1, 1, 100))).toEqual(new Set([best]));
  });

  it("never draws an id without probability", async () => {
    const only = Float32Array.from(LOGITS, (logit, id) => (id % 7 === 3 ? logit : NO_CODE));
    for (const [temperature, topK] of [
      [1, 0],
      [0.9, 4],
      [0, 0],
    ] as const) {
      expect((await draw(only, temperature, topK, 5, 2000)).every((id) => id % 7 === 3)).toBe(true);
    }
  });

  it.each([
    ["some", Float32Array.from(LOGITS, (logit, id) => (id % 3 === 0 ? Number.NaN : logit))],
    ["all", LOGITS.map(() => Number.NaN)],
    ["infinite", LOGITS.map((logit, id) => (id === 7 ? Number.POSITIVE_INFINITY : logit))],
    ["hopeless", LOGITS.map(() => NO_CODE)],
  ])("stays within the vocabulary when logits are no numbers (%s)", async (_, logits) => {
    for (const [temperature, topK] of [
      [0, 0],
      [1, 0],
      [1, 5],
    ] as const) {
      const ids = await draw(logits, temperature, topK, 1, 200);
      expect(ids.every((id) => id >= 0 && id < logits.length)).toBe(true);
    }
  });
});
