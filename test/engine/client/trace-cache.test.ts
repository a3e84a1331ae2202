import { rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TextSession } from "../../../src/engine/client/text-session.js";
import { type TraceEngine, traceTokensOf } from "../../../src/engine/client/trace-engine.js";
import { TraceSession } from "../../../src/engine/client/trace-session.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";
import { ENDLESS_TRACE, writeAutomaton } from "../../helpers/automaton.js";
import { convertTo, openModel, temporaryFolder } from "../../helpers/models.js";

const PROGRAM = prepareProgram("def main():\n    x = 1\n    return x\n");
/** Tokens of every frame of the model: event, "{", "}", mark, "x", line end, separator. */
const FRAME = 7;

let folder: string;
let file: string;
let session: TextSession;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeAutomaton(path.join(folder, "endless"), ENDLESS_TRACE);
  file = await convertTo(folder, path.join(folder, "endless"), "f32");
});
afterEach(() => session.close());
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Asked {
  what: "weigh" | "generate";
  tokens: number;
  reused: number;
}

/** Writes down how much of what it was asked the cache held. */
function observed(engine: TextSession, asked: Asked[]): TraceEngine {
  return {
    tokenize: (text, options) => engine.tokenize(text, options),
    pieces: (ids) => engine.pieces(ids),
    weigh: async (params, signal) => {
      const result = await engine.weigh(params, signal);
      asked.push({ what: "weigh", tokens: params.tokens.length, reused: result.reusedTokens });
      return result;
    },
    generate: async function* (params, signal) {
      const result = yield* engine.generate(params, signal);
      asked.push({ what: "generate", tokens: result.promptTokens, reused: result.reusedTokens });
      return result;
    },
  };
}

async function open(swaFull: boolean): Promise<{ trace: TraceSession; asked: Asked[] }> {
  ({ session } = await openModel(file));
  const contextSize = 512;
  await session.createContext({ contextSize, batchSize: 32, kvType: "f32", flashAttention: "off", swaFull });
  const asked: Asked[] = [];
  const engine = observed(session, asked);
  const trace = await TraceSession.open(engine, await traceTokensOf(session, file), PROGRAM, {
    sampling: { temperature: 0, topP: 1, seed: 1 },
    contextSize,
    maxFrameTokens: 64,
    maxFrames: 100,
  });
  return { trace, asked };
}

describe.each([
  ["caches of full size", true],
  ["sliding layers with small caches", false],
])("the cache between steps, %s", (_, swaFull) => {
  it("holds everything but the last token of the frame before", async () => {
    const { trace, asked } = await open(swaFull);
    const prompt = trace.usedTokens;
    for (let i = 0; i < 20; i++) await trace.stepInto();
    expect(trace.steps.every(({ ids, problems }) => ids.length === FRAME && problems.length === 0)).toBe(
      true,
    );
    const expected: Asked[] = [];
    for (let i = 0; i < 20; i++) {
      const tokens = prompt + i * FRAME;
      expected.push({ what: "weigh", tokens, reused: i === 0 ? 0 : tokens - 1 });
      expected.push({ what: "generate", tokens: tokens + 1, reused: tokens });
    }
    expect(asked).toEqual(expected);
  });
});

describe("the cache of full size", () => {
  it("is rewound by going back, and an edit reads only what is new", async () => {
    const { trace, asked } = await open(true);
    for (let i = 0; i < 10; i++) await trace.stepInto();
    for (let i = 0; i < 4; i++) trace.back();
    const kept = trace.usedTokens;
    asked.length = 0;
    await trace.stepInto();
    // the last token is always evaluated: it brings the logits
    expect(asked[0]).toEqual({ what: "weigh", tokens: kept, reused: kept - 1 });

    const before = trace.usedTokens - FRAME;
    await trace.edit("x", "1");
    asked.length = 0;
    await trace.stepInto();
    // the event and the brace are as they were
    expect(asked[0]).toMatchObject({ what: "weigh", reused: before + 2 });
    expect(asked[0]!.tokens).toBe(trace.usedTokens - FRAME);
  });
});
