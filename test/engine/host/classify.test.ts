import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classifyTexts, type ClassifyInput } from "../../../src/engine/client/classify-texts.js";
import type { TextSession } from "../../../src/engine/client/text-session.js";
import { convertTo, nmse, openModel, repositoryFile, temporaryFolder } from "../../helpers/models.js";

interface Case {
  text: string;
  tokens: number[];
  /** [labels], or [tokens, labels] */
  logits: number[] | number[][];
}

const CONTEXT = { kvType: "f32", flashAttention: "off", threads: 1 } as const;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(["glm-sequence-classification", "glm-token-classification"])("%s in float32", (name) => {
  const reference = JSON.parse(
    readFileSync(repositoryFile("test/reference/data", `${name}.json`), "utf8"),
  ) as { texts: Case[]; padded?: Omit<Case, "text">[] };
  let session: TextSession;
  beforeAll(async () => {
    ({ session } = await openModel(await convertTo(folder, repositoryFile("test/fixtures", name), "f32")));
  });
  afterAll(() => session.close());

  const classify = (inputs: ClassifyInput[]) =>
    classifyTexts(session, session.facts.classifier!, inputs, CONTEXT, {
      signal: new AbortController().signal,
    });
  const flat = (rows: Float32Array[]) => rows.flatMap((row) => Array.from(row));

  it("equals PyTorch: all texts at once, and each alone", async () => {
    const together = await classify(reference.texts.map(({ text }) => ({ text })));
    for (const [i, one] of reference.texts.entries()) {
      expect(together[i]!.tokens).toEqual(one.tokens);
      expect(nmse(flat(together[i]!.rows), one.logits.flat()), one.text).toBeLessThan(1e-6);
      const [alone] = await classify([{ tokens: one.tokens }]);
      expect(nmse(flat(alone!.rows), one.logits.flat()), one.text).toBeLessThan(1e-6);
    }
  });

  it.runIf(reference.padded)("pools at the last token that is not padding", async () => {
    const padded = reference.padded!;
    const results = await classify(padded.map(({ tokens }) => ({ tokens })));
    results.forEach(({ rows }, i) => {
      expect(nmse(flat(rows), padded[i]!.logits.flat())).toBeLessThan(1e-6);
    });
  });

  it("gives a text longer than a batch what its beginning and many short ones beside it do not change", async () => {
    const tokens = Array.from({ length: 1300 }, (_, i) => (i * 7919) % 430);
    const [long] = await classify([{ tokens }]);
    // for a causal model the rows of a beginning are rows of the whole
    const [part] = await classify([{ tokens: tokens.slice(0, 700) }]);
    expect(long!.rows.length).toBe(name.includes("token") ? 1300 : 1);
    if (name.includes("token")) {
      expect(nmse(flat(long!.rows.slice(0, 700)), flat(part!.rows))).toBeLessThan(1e-6);
    }
    const short = Array.from({ length: 70 }, (_, i) => ({ tokens: tokens.slice(i, i + 1 + (i % 40)) }));
    const crowd = await classify([...short.slice(0, 35), { tokens }, ...short.slice(35)]);
    expect(nmse(flat(crowd[35]!.rows), flat(long!.rows))).toBeLessThan(1e-6);
    for (const i of [0, 17, 36, 70]) {
      const [alone] = await classify([crowd[i]!.input]);
      expect(nmse(flat(crowd[i]!.rows), flat(alone!.rows))).toBeLessThan(1e-9);
    }
  });

  it("refuses what is no sequence of the model, and ends on abort", async () => {
    await expect(classify([{ tokens: [] }])).rejects.toMatchObject({ code: "EMPTY_PROMPT" });
    await expect(classify([{ tokens: [448] }])).rejects.toMatchObject({ code: "TOKEN_RANGE" });
    const long = Array.from({ length: 16385 }, () => 1);
    await expect(classify([{ tokens: long }])).rejects.toMatchObject({ code: "CONTEXT_OVERFLOW" });
    const controller = new AbortController();
    const run = session.classify(
      { ...CONTEXT, classes: 4, rows: "last", texts: [long.slice(1)] },
      controller.signal,
    );
    await run.next();
    controller.abort();
    await expect(
      (async () => {
        while (!(await run.next()).done);
      })(),
    ).rejects.toThrow();
    expect(await classify([{ tokens: [1, 2] }])).toHaveLength(1);
  });
});
