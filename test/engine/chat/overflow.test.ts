import { describe, expect, it } from "vitest";
import {
  fitConversation,
  fitTokens,
  shortenings,
  type FittedConversation,
  type OverflowPolicy,
} from "../../../src/engine/chat/overflow.js";
import type { ChatMessage } from "../../../src/engine/families/chat-behaviour.js";
import { seededRandom } from "../../helpers/seeded-random.js";

const message = (role: string, tokens: number): ChatMessage => ({ role, content: "x".repeat(tokens) });
const count = async (messages: readonly ChatMessage[]): Promise<number> =>
  messages.reduce((sum, { content }) => sum + (content as string).length, 0);
const sizes = ({ messages }: FittedConversation): number[] =>
  messages.map(({ content }) => (content as string).length);

/** A system prompt of 10 tokens and four turns of 20 + 5, the last without its answer: 105 tokens. */
const CHAT = [
  message("system", 10),
  ...[1, 2, 3].flatMap(() => [message("user", 20), message("assistant", 5)]),
  message("user", 20),
];

const fit = (contextSize: number, policy: OverflowPolicy, maxTokens?: number): Promise<FittedConversation> =>
  fitConversation(CHAT, { contextSize, policy, ...(maxTokens === undefined ? {} : { maxTokens }) }, count);

describe("fitConversation", () => {
  it("leaves a conversation alone that fits", async () => {
    for (const policy of ["error", "trim", "shift"] as const)
      expect(await fit(140, policy)).toEqual({ messages: CHAT, promptTokens: 105 });
  });

  it("wants one token of room under error, and no more", async () => {
    expect((await fit(106, "error", 500)).promptTokens).toBe(105);
    await expect(fit(105, "error")).rejects.toMatchObject({
      exit: "usage",
      code: "CONTEXT_OVERFLOW",
      message: expect.stringContaining("105 of 105 tokens") as string,
      hint: expect.stringContaining("--overflow trim") as string,
    });
  });

  it("leaves out whole turns from the oldest on, and says how much", async () => {
    expect(await fit(120, "trim")).toMatchObject({ promptTokens: 80, dropped: { messages: 2, tokens: 25 } });
    expect(sizes(await fit(120, "trim"))).toEqual([10, 20, 5, 20, 5, 20]);
    expect(sizes(await fit(60, "shift"))).toEqual([10, 20]);
  });

  it("keeps room for the answer: what was asked for, at most a quarter of the context", async () => {
    expect((await fit(112, "trim", 7)).promptTokens).toBe(105);
    expect((await fit(111, "trim", 7)).promptTokens).toBe(80);
    expect((await fit(138, "trim", 10_000)).promptTokens).toBe(80);
  });

  it("does with less room rather than give up", async () => {
    expect(await fit(31, "trim")).toMatchObject({ promptTokens: 30, dropped: { messages: 6, tokens: 75 } });
    const single = [message("user", 50)];
    expect(await fitConversation(single, { contextSize: 51, policy: "trim" }, count)).toEqual({
      messages: single,
      promptTokens: 50,
    });
  });

  it("refuses what does not fit even without the older turns", async () => {
    await expect(fit(30, "trim")).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      message: expect.stringMatching(/105 of 30 tokens.*older turns/) as string,
    });
  });

  it("always keeps the system messages and the last turn, fits, and drops no turn without need", async () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = seededRandom(seed);
      const turns = Array.from({ length: 1 + random.integer(12) }, () => [
        message("user", 1 + random.integer(30)),
        ...(random.integer(3) === 0
          ? [message("tool: x", random.integer(9)), message("assistant", random.integer(9))]
          : []),
      ]);
      const system = random.integer(2) === 0 ? [message("system", random.integer(20))] : [];
      const messages = [...system, ...turns.flat()];
      const contextSize = 60 + random.integer(200);
      const fitted = await fitConversation(messages, { contextSize, policy: "trim", maxTokens: 10 }, count);
      expect(fitted.messages.slice(0, system.length)).toEqual(system);
      expect(fitted.messages.slice(-turns.at(-1)!.length)).toEqual(turns.at(-1));
      expect(fitted.promptTokens).toBe(await count(fitted.messages));
      expect(fitted.promptTokens).toBeLessThan(contextSize);
      const longer = [messages, ...shortenings(messages)].filter(
        (candidate) => candidate.length > fitted.messages.length,
      );
      for (const candidate of longer) expect(await count(candidate)).toBeGreaterThan(contextSize - 10);
    }
  });
});

describe("shortenings", () => {
  it("never cuts into a turn", () => {
    const roles = "system user assistant user tool assistant user".split(" ");
    const shorter = shortenings(roles.map((role) => message(role, 1)));
    expect(shorter.map((messages) => messages.map(({ role }) => role).join(" "))).toEqual([
      "system user tool assistant user",
      "system user",
    ]);
  });

  it("has none for a single turn, for system messages alone and for nothing", () => {
    expect(shortenings([message("user", 1), message("assistant", 1)])).toEqual([]);
    expect(shortenings([message("system", 1)])).toEqual([]);
    expect(shortenings([])).toEqual([]);
  });
});

describe("fitTokens", () => {
  const tokens = Array.from({ length: 20 }, (_, i) => i);

  it("leaves tokens alone that fit", () => {
    expect(fitTokens(tokens, 1, { contextSize: 21, policy: "error" })).toEqual(tokens);
    expect(fitTokens(tokens, 1, { contextSize: 30, policy: "trim" })).toEqual(tokens);
  });

  it("keeps the beginning and the end", () => {
    expect(fitTokens(tokens, 2, { contextSize: 8, policy: "trim" })).toEqual([0, 1, 16, 17, 18, 19]);
    expect(fitTokens(tokens, 0, { contextSize: 4, policy: "shift", maxTokens: 1 })).toEqual([17, 18, 19]);
  });

  it("refuses under error, and where nothing but the beginning would stay", () => {
    const overflow = expect.objectContaining({ code: "CONTEXT_OVERFLOW", exit: "usage" }) as Error;
    expect(() => fitTokens(tokens, 1, { contextSize: 20, policy: "error" })).toThrow(overflow);
    expect(() => fitTokens(tokens, 7, { contextSize: 8, policy: "trim" })).toThrow(overflow);
  });
});
