import { speedsOf, type Speeds } from "../chat/chat-document.js";
import type { TextSession } from "../client/text-session.js";
import type { ContextParams, Sampling } from "../host/protocol.js";
import { roundName, type BenchProgress } from "./bench-progress.js";
import { promptIds } from "./prompt-ids.js";
import { spreads, type Spread } from "./spread.js";

export interface TextBenchPlan {
  /** tokens of each prompt */
  readonly prompts: readonly number[];
  /** tokens to write after each */
  readonly generate: number;
  /** that are counted; a warm-up comes before them */
  readonly rounds: number;
  readonly context: ContextParams;
}

/** What was measured with prompts of one length. */
export type TextRun = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
} & { readonly [Name in keyof Speeds]: Spread };

const GREEDY: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 };
/** The warm-up reads whole prompts, and writes no more than it takes to touch every weight. */
const WARM_TOKENS = 8;

/**
 * Reads prompts and writes after them. No token ends an answer, so that all are of one length, and no prompt begins
 * like the one before it, so that all of it is read. In every round each length has its turn: a machine that becomes
 * slower meanwhile is slower for all.
 * @throws UserError as TextSession; AbortError
 */
export async function* benchText(
  session: TextSession,
  { prompts, generate, rounds, context }: TextBenchPlan,
  signal: AbortSignal,
): AsyncGenerator<BenchProgress, TextRun[]> {
  await session.createContext(context, signal);
  const measured = prompts.map((): Speeds[] => []);
  let written = 0;
  let asked = 0;
  for (let round = 0; round <= rounds; round++) {
    const name = roundName(round, rounds);
    for (const [i, length] of prompts.entries()) {
      const maxTokens = round === 0 ? Math.min(generate, WARM_TOKENS) : generate;
      const tokens = promptIds(length, session.facts.vocabulary, asked++);
      const answer = session.generate({ tokens, maxTokens, sampling: GREEDY, stopTokens: [] }, signal);
      written = 0;
      let step = await answer.next();
      for (; step.done !== true; step = await answer.next()) {
        if (step.value.kind === "tokens") written += step.value.ids.length;
        yield step.value.kind === "prompt"
          ? { ...step.value, label: `${name}, reading`, unit: "tokens" }
          : { label: `${name}, writing`, done: written, total: maxTokens, unit: "tokens" };
      }
      signal.throwIfAborted();
      const { promptTokens, reusedTokens, generatedTokens, generateMs, ...result } = step.value;
      if (round === 0) continue;
      measured[i]!.push(
        speedsOf({
          ...result,
          evaluatedTokens: promptTokens - reusedTokens,
          generatedTokens,
          generationMs: generateMs,
        }),
      );
    }
  }
  return prompts.map((length, i) => {
    return { prompt_tokens: length, completion_tokens: written, ...spreads(measured[i]!) };
  });
}
