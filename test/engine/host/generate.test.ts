import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TextSession } from "../../../src/engine/client/text-session.js";
import type { GenerateParams, GenerateResult } from "../../../src/engine/host/protocol.js";
import { convertTo, openModel, repositoryFile, temporaryFolder } from "../../helpers/models.js";

const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 };

interface Reference {
  tokens: number[];
  greedy: number[];
  turns: { append: number[]; greedy: number[] }[];
  long: { tokens: number[]; greedy: number[] };
  stops?: { tokens: number[]; greedy: number[] }[];
}

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function generate(
  session: TextSession,
  params: Partial<GenerateParams> & Pick<GenerateParams, "tokens">,
  signal?: AbortSignal,
): Promise<GenerateResult & { ids: number[] }> {
  const run = session.generate({ sampling: GREEDY, stopTokens: [], ...params }, signal);
  const ids: number[] = [];
  for (;;) {
    const step = await run.next();
    if (step.done) return { ...step.value, ids };
    if (step.value.kind === "tokens") ids.push(...step.value.ids);
  }
}

function freshContext(session: TextSession, batchSize: number, contextSize = 1024) {
  return session.createContext({
    contextSize,
    batchSize,
    kvType: "f32",
    flashAttention: "off",
    swaFull: false,
  });
}

function reference(name: string): Reference {
  return JSON.parse(readFileSync(repositoryFile("test/reference/data", `${name}.json`), "utf8")) as Reference;
}

describe.each([
  "cwm-regular",
  "cwm-irregular",
  "cwm-window-1",
  "cwm-no-window",
  "cwm-all-sliding",
  "cwm-tied",
  "cwm-v4-layout",
  "cwm-bf16-sharded",
  "glm-biases",
  "glm-wide-heads",
  "glm-bf16-sharded",
])("greedy tokens of %s", (name) => {
  const { tokens, greedy, turns, long } = reference(name);
  let session: TextSession;
  beforeAll(async () => {
    ({ session } = await openModel(await convertTo(folder, repositoryFile("test/fixtures", name), "f32")));
  });
  afterAll(() => session.close());

  it.each([
    [512, false],
    [13, false],
    [512, true],
    [13, true],
  ])(
    "equal PyTorch in batches of %d, over turns and past the sliding cache, guessing: %s",
    async (batchSize, lookup) => {
      await freshContext(session, batchSize);
      expect((await generate(session, { tokens, maxTokens: greedy.length, lookup })).ids).toEqual(greedy);

      await freshContext(session, batchSize);
      let history: number[] = [];
      for (const turn of turns) {
        const before = history.length;
        history = [...history, ...turn.append];
        const answer = await generate(session, { tokens: history, maxTokens: turn.greedy.length, lookup });
        expect(answer.ids).toEqual(turn.greedy);
        // the cache holds all but the last sampled token of the turn before
        expect(answer.reusedTokens).toBe(Math.max(0, before - 1));
        history = [...history, ...turn.greedy];
      }

      await freshContext(session, batchSize);
      const last = await generate(session, { tokens: long.tokens, maxTokens: long.greedy.length, lookup });
      expect(last.ids).toEqual(long.greedy);
    },
  );
});

describe("generation", () => {
  const { tokens, greedy, stops = [] } = reference("cwm-regular");
  let session: TextSession;
  beforeAll(async () => {
    ({ session } = await openModel(
      await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "f32"),
    ));
  });
  afterAll(() => session.close());

  it("ends with each end token where the reference does", async () => {
    await freshContext(session, 512);
    expect(stops.length).toBe(3);
    for (const { tokens: prompt, greedy: answer } of stops) {
      const result = await generate(session, {
        tokens: prompt,
        maxTokens: 60,
        stopTokens: [...session.facts.stopTokens],
      });
      expect([...result.ids, result.stopToken]).toEqual(answer);
      expect(result.stopReason).toBe("stop");
    }
  });

  it("is the same with guessing, sampled and greedy, up to a stop token, and to the last place of the context", async () => {
    // what it repeats is guessed, and guessed wrong where it stops repeating
    const prompt = [...tokens, ...tokens, ...tokens].slice(0, 90);
    for (const temperature of [0, 0.2, 1]) {
      const sampling = { ...GREEDY, temperature, seed: 11 };
      const runs = [];
      for (const lookup of [false, true]) {
        await freshContext(session, 64, 256);
        const all = await generate(session, { tokens: prompt, sampling, lookup });
        const again = await generate(session, {
          tokens: [...prompt, ...all.ids.slice(0, 40)],
          sampling,
          maxTokens: 7,
          lookup,
        });
        const stopTokens = [all.ids[30]!];
        await freshContext(session, 64, 256);
        const stopped = await generate(session, { tokens: prompt, sampling, stopTokens, lookup });
        runs.push(
          [all, again, stopped].map(({ ids, stopReason, stopToken }) => ({ ids, stopReason, stopToken })),
        );
      }
      expect(runs[1]).toEqual(runs[0]);
      expect(runs[0]![0]!.stopReason).toBe("overflow");
      expect(runs[0]![2]!.stopReason).toBe("stop");
    }
  });

  it("equals a fresh start after the history was cut back anywhere", async () => {
    // a window of 8 and a sliding cache of 256 cells: after a cut it may lack keys that the next token attends to
    const full = reference("cwm-regular").long.tokens;
    await freshContext(session, 16);
    let restarts = 0;
    for (let round = 0; round < 12; round++) {
      await generate(session, { tokens: full, maxTokens: 1 });
      const cut = full.length - 1 - ((round * 97) % 500);
      const prompt = [...full.slice(0, cut), ...full.slice(3, 3 + (round % 5))];
      const answer = await generate(session, { tokens: prompt, maxTokens: 6 });
      if (answer.reusedTokens === 0) restarts++;
      expect(answer.ids, `cut at ${cut}`).toEqual(await openedElsewhere(prompt, 6));
    }
    // both ways were taken: cuts the cache could serve, and cuts it could not
    expect(restarts).toBeGreaterThan(0);
    expect(restarts).toBeLessThan(12);
  });

  it("answers a prompt again from a checkpoint, exactly, without reading it again", async () => {
    // a window of 8 and a sliding cache of 256 cells, which the answer overwrites
    const prompt = reference("cwm-regular").long.tokens.slice(0, 300);
    await freshContext(session, 16);
    const first = await generate(session, { tokens: prompt, maxTokens: 400 });
    const again = await generate(session, { tokens: prompt, maxTokens: 400 });
    expect(again.ids).toEqual(first.ids);
    expect(again.reusedTokens).toBeGreaterThanOrEqual(prompt.length - 1);
    // and the end of the prompt in other ways: a checkpoint of the end lacks what a place before it can see
    for (const kept of [298, 297, 295, 292, 289]) {
      await generate(session, { tokens: prompt, maxTokens: 400 });
      const edited = [...prompt.slice(0, kept), ...prompt.slice(5, 25)];
      const other = await generate(session, { tokens: edited, maxTokens: 60 });
      expect(other.reusedTokens, `${kept} kept`).toBe(288);
      expect(other.ids).toEqual(await openedElsewhere(edited, 60));
    }
  });

  it("answers a changed prompt of the same length again from a checkpoint of its own", async () => {
    const prompt = reference("cwm-regular").long.tokens.slice(0, 300);
    const changed = [...prompt.slice(0, 290), ...prompt.slice(5, 15)];
    await freshContext(session, 16);
    await generate(session, { tokens: prompt, maxTokens: 400 });
    const first = await generate(session, { tokens: changed, maxTokens: 400 });
    // where the last batch of 16 began
    expect(first.reusedTokens).toBe(288);
    expect(first.ids.slice(0, 20)).toEqual(await openedElsewhere(changed, 20));
    const again = await generate(session, { tokens: changed, maxTokens: 400 });
    expect(again.reusedTokens).toBe(changed.length - 1);
    expect(again.ids).toEqual(first.ids);
  });

  it("reads a changed message only, not the conversation before it", async () => {
    const words = reference("cwm-regular").long.tokens;
    await freshContext(session, 32);
    const first = await generate(session, { tokens: words.slice(0, 100), maxTokens: 150 });
    const said = [...words.slice(0, 100), ...first.ids];
    const asked = await generate(session, { tokens: [...said, ...words.slice(100, 180)], maxTokens: 300 });
    expect(asked.reusedTokens).toBe(said.length - 1);
    const changed = [...said, ...words.slice(200, 290)];
    const answer = await generate(session, { tokens: changed, maxTokens: 300 });
    expect(answer.reusedTokens).toBe(said.length - 1);
    expect(answer.ids.slice(0, 20)).toEqual(await openedElsewhere(changed, 20));
    const again = await generate(session, { tokens: changed, maxTokens: 300 });
    expect(again.reusedTokens).toBe(changed.length - 1);
    expect(again.ids).toEqual(answer.ids);
  });

  /** The same prompt in a context that has seen nothing. */
  let second: TextSession;
  async function openedElsewhere(prompt: number[], length: number): Promise<number[]> {
    second ??= (await openModel(await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "f32")))
      .session;
    await freshContext(second, 512);
    return (await generate(second, { tokens: prompt, maxTokens: length })).ids;
  }
  afterAll(() => second?.close());

  it("ends with overflow at the end of the context", async () => {
    await freshContext(session, 64, 256);
    const result = await generate(session, { tokens: tokens.slice(0, 50), maxTokens: 1000 });
    expect(result.stopReason).toBe("overflow");
    expect(result.promptTokens + result.generatedTokens).toBeGreaterThan(250);
    expect(result.promptTokens + result.generatedTokens).toBeLessThanOrEqual(256);
  });

  it("draws the same tokens from the same seed, others from another", async () => {
    const sampling = { ...GREEDY, temperature: 1.5, seed: 7 };
    await freshContext(session, 512);
    const draw = async (seed: number) =>
      (await generate(session, { tokens, maxTokens: 30, sampling: { ...sampling, seed } })).ids;
    const first = await draw(7);
    expect(await draw(7)).toEqual(first);
    expect(await draw(8)).not.toEqual(first);
    expect(
      (await generate(session, { tokens, maxTokens: 30, sampling: { ...sampling, topK: 1 } })).ids,
    ).toEqual(greedy.slice(0, 30));
  });

  it("stops when told to, keeps what came, and goes on exactly", async () => {
    await freshContext(session, 512);
    const controller = new AbortController();
    const run = session.generate(
      { tokens, sampling: GREEDY, stopTokens: [], maxTokens: 900 },
      controller.signal,
    );
    const ids: number[] = [];
    let step = await run.next();
    for (; !step.done; step = await run.next()) {
      if (step.value.kind === "tokens") {
        ids.push(...step.value.ids);
        controller.abort();
      }
    }
    expect(step.value.stopReason).toBe("interrupted");
    expect(ids.length).toBeLessThan(900);
    const checked = Math.min(ids.length, greedy.length);
    expect(ids.slice(0, checked)).toEqual(greedy.slice(0, checked));
    expect((await generate(session, { tokens, maxTokens: greedy.length })).ids).toEqual(greedy);
  });

  it("stops inside a long prompt and can read it again", async () => {
    const { long } = reference("cwm-regular");
    await freshContext(session, 8);
    const controller = new AbortController();
    const run = session.generate(
      { tokens: long.tokens, sampling: GREEDY, stopTokens: [], maxTokens: 5 },
      controller.signal,
    );
    let step = await run.next();
    controller.abort();
    while (!step.done) step = await run.next();
    expect(step.value.stopReason).toBe("interrupted");
    expect((await generate(session, { tokens: long.tokens, maxTokens: long.greedy.length })).ids).toEqual(
      long.greedy,
    );
  });

  it("follows a JSON schema", async () => {
    await freshContext(session, 512, 2048);
    const schema = { type: "object", properties: { ok: { type: "boolean" }, kind: { enum: ["a", "b"] } } };
    const result = await generate(session, {
      tokens,
      maxTokens: 200,
      jsonSchema: schema,
      stopTokens: [...session.facts.stopTokens],
    });
    const pieces = await session.pieces(result.ids);
    const document = JSON.parse(Buffer.concat(pieces).toString("utf8")) as Record<string, unknown>;
    expect(typeof document.ok).toBe("boolean");
    expect(["a", "b"]).toContain(document.kind);
  });
});
