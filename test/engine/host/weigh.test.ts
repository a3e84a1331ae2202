import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TextSession } from "../../../src/engine/client/text-session.js";
import type { GenerateEvent } from "../../../src/engine/host/protocol.js";
import { readNpy } from "../../../src/engine/formats/npy.js";
import { convertTo, openModel, repositoryFile, temporaryFolder } from "../../helpers/models.js";

let folder: string;
let session: TextSession;
const { tokens, greedy } = JSON.parse(
  readFileSync(repositoryFile("test/reference/data/cwm-irregular.json"), "utf8"),
) as { tokens: number[]; greedy: number[] };

beforeAll(async () => {
  folder = await temporaryFolder();
  const file = await convertTo(folder, repositoryFile("test/fixtures/cwm-irregular"), "f32");
  ({ session } = await openModel(file));
  await session.createContext({
    contextSize: 512,
    batchSize: 32,
    kvType: "f32",
    flashAttention: "off",
    swaFull: false,
  });
});
afterAll(async () => {
  await session?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Softmax of the reference's logits behind the whole prompt. */
async function referenceProbabilities(): Promise<number[]> {
  const { data, shape } = await readNpy(repositoryFile("test/reference/data/cwm-irregular.logits.npy"));
  const vocabulary = shape[1]!;
  const row = Array.from(data.slice(-vocabulary), Number);
  const max = Math.max(...row);
  const weights = row.map((logit) => Math.exp(logit - max));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

describe("weigh", () => {
  it("gives the reference's probabilities, whichever part of the prompt is in the cache", async () => {
    const expected = await referenceProbabilities();
    const candidates = [greedy[0]!, 0, 5, 447];
    for (let round = 0; round < 3; round++) {
      if (round === 2) await session.weigh({ tokens: tokens.slice(0, 40), candidates });
      const found = (await session.weigh({ tokens, candidates })).probabilities;
      candidates.forEach((id, i) => expect(found[i]).toBeCloseTo(expected[id]!, 5));
    }
    const all = (await session.weigh({ tokens, candidates: expected.map((_, id) => id) })).probabilities;
    expect(all.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  it("leaves a cache from which generation goes on, and generation reports its probabilities", async () => {
    const expected = (await session.weigh({ tokens, candidates: greedy.slice(0, 1) })).probabilities;
    const run = session.generate({
      tokens,
      maxTokens: greedy.length,
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 },
      stopTokens: [],
      probabilities: true,
    });
    const events: Extract<GenerateEvent, { kind: "tokens" }>[] = [];
    let step = await run.next();
    for (; step.done !== true; step = await run.next()) {
      if (step.value.kind === "tokens") events.push(step.value);
    }
    expect(events.flatMap(({ ids }) => ids)).toEqual(greedy);
    const probabilities = events.flatMap((event) => event.probabilities ?? []);
    expect(probabilities).toHaveLength(greedy.length);
    expect(probabilities[0]).toBeCloseTo(expected[0]!, 5);
    // what each token was given, seen again from outside
    const third = await session.weigh({
      tokens: [...tokens, ...greedy.slice(0, 2)],
      candidates: [greedy[2]!],
    });
    expect(probabilities[2]).toBeCloseTo(third.probabilities[0]!, 4);
    expect(step.value.reusedTokens).toBe(tokens.length - 1);
  });

  it("reports probabilities among what top-p and the temperature left, several tokens at a time", async () => {
    const TEMPERATURE = 0.7;
    const TOP_P = 0.8;
    const run = session.generate({
      tokens,
      maxTokens: 12,
      sampling: { temperature: TEMPERATURE, topK: 0, topP: TOP_P, minP: 0, repeatPenalty: 1, seed: 5 },
      stopTokens: [],
      probabilities: true,
    });
    const ids: number[] = [];
    const probabilities: number[] = [];
    for await (const event of run) {
      if (event.kind !== "tokens") continue;
      ids.push(...event.ids);
      probabilities.push(...(event.probabilities ?? []));
    }
    expect(ids).toHaveLength(12);
    expect(probabilities).toHaveLength(12);
    const vocabulary = (await referenceProbabilities()).map((_, id) => id);
    for (const at of [0, 1, 5, 11]) {
      const before = [...tokens, ...ids.slice(0, at)];
      const all = (await session.weigh({ tokens: before, candidates: vocabulary })).probabilities;
      const order = [...vocabulary].sort((a, b) => all[b]! - all[a]!);
      let sum = 0;
      const kept = order.filter((id) => (sum < TOP_P ? (sum += all[id]!) > 0 : false));
      expect(kept).toContain(ids[at]);
      const weights = kept.map((id) => all[id]! ** (1 / TEMPERATURE));
      const total = weights.reduce((a, b) => a + b);
      expect(probabilities[at]).toBeCloseTo(weights[kept.indexOf(ids[at]!)]! / total, 4);
    }
  });

  it("can be stopped", async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(session.weigh({ tokens, candidates: [1] }, controller.signal)).rejects.toThrow();
    expect((await session.weigh({ tokens, candidates: [1] })).probabilities).toHaveLength(1);
  });
});
