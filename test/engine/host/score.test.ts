import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scoreText } from "../../../src/engine/client/score-text.js";
import type { TextSession } from "../../../src/engine/client/text-session.js";
import type { WindowOptions } from "../../../src/engine/score/score-windows.js";
import { textPieces } from "../../../src/engine/score/text-pieces.js";
import { convertTo, openModel, repositoryFile, temporaryFolder } from "../../helpers/models.js";

interface Reference {
  tokens: number[];
  loss: number;
  long: { tokens: number[] };
}

const CHECKPOINTS = ["cwm-irregular", "cwm-window-1", "cwm-bf16-sharded", "glm-biases", "glm-wide-heads"];
const WINDOWS: WindowOptions = { wholeSize: 8192, windowSize: 512, stride: undefined, prefix: [] };

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function score(session: TextSession, tokens: number[], windows: Partial<WindowOptions> = {}) {
  async function* input() {
    for (let start = 0; start < tokens.length; start += 100) {
      yield { tokens: tokens.slice(start, start + 100), bytes: 100 };
    }
  }
  const options = { ...WINDOWS, ...windows, kvType: "f32", flashAttention: "off", threads: 2 } as const;
  const run = scoreText(session, input(), options, new AbortController().signal);
  let step = await run.next();
  while (!step.done) step = await run.next();
  return step.value;
}

describe.each(CHECKPOINTS)("the loss of %s in float32", (name) => {
  const reference = JSON.parse(
    readFileSync(repositoryFile("test/reference/data", `${name}.json`), "utf8"),
  ) as Reference;
  let session: TextSession;
  beforeAll(async () => {
    ({ session } = await openModel(await convertTo(folder, repositoryFile("test/fixtures", name), "f32")));
  });
  afterAll(() => session.close());

  it("is transformers' for a text of one window", async () => {
    const { loss, perplexity, tokens } = await score(session, reference.tokens);
    expect(Math.abs(loss - reference.loss)).toBeLessThan(1e-4);
    expect(perplexity).toBe(Math.exp(loss));
    expect(tokens).toBe(reference.tokens.length - 1);
  });

  it("is the sum over its windows, each evaluated alone", async () => {
    const { tokens } = reference.long;
    const whole = await score(session, tokens, { wholeSize: 128, windowSize: 128 });
    let loss = 0;
    let count = 0;
    const body = 128;
    for (let start = 0; start < tokens.length; start += body) {
      const begin = Math.min(start, tokens.length - body);
      const part = tokens.slice(begin, begin + body);
      // a window's second half: all of it less its first half, which a window of that half alone gives
      const from = Math.max(64, start - begin);
      const all = await score(session, part);
      const before = await score(session, part.slice(0, from));
      loss += all.loss * all.tokens - before.loss * before.tokens;
      count += part.length - from;
    }
    expect(whole.tokens).toBe(count);
    expect(Math.abs(whole.loss - loss / count)).toBeLessThan(1e-4);
  });
});

describe("pieces of a text", () => {
  it.each(["cwm-irregular", "glm-biases"])("have the tokens of the whole in %s", async (name) => {
    const { session } = await openModel(
      await convertTo(folder, repositoryFile("test/fixtures", name), "f32"),
    );
    try {
      const vectors = JSON.parse(
        readFileSync(repositoryFile("test/reference/data/token-vectors.json"), "utf8"),
      ) as [string, ...unknown[]][];
      const text = Buffer.from(vectors.map(([string]) => string).join("\n")).toString();
      const whole = await session.tokenize(text, { special: false });
      const parts: number[] = [];
      let count = 0;
      const bytes = Buffer.from(text);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 97) }, (_, i) =>
        bytes.subarray(i * 97, (i + 1) * 97),
      );
      for await (const piece of textPieces(Readable.from(chunks), "text")) {
        parts.push(...(await session.tokenize(piece.text, { special: false })));
        count++;
      }
      expect(count).toBeGreaterThan(20);
      expect(parts).toEqual(whole);
    } finally {
      await session.close();
    }
  });
});
