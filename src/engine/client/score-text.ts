import type { EvaluationParams } from "../host/protocol.js";
import { ScoreWindows, type ScoreWindow, type WindowOptions } from "../score/score-windows.js";
import type { TextSession } from "./text-session.js";

/** Tokens of a text in their order, with the bytes they were. */
export interface ScoreInput {
  tokens: readonly number[];
  bytes: number;
}

export interface TextScore {
  /** mean of -ln p(token) over the scored tokens */
  loss: number;
  perplexity: number;
  /** how many were scored */
  tokens: number;
  /** how many windows the text took */
  windows: number;
}

export interface ScoreProgress {
  /** bytes whose tokens are evaluated */
  bytes: number;
  /** mean so far */
  loss: number;
}

/**
 * The mean next-token loss of a text, in memory that does not depend on its length.
 * A text of one window gives transformers' loss with the input ids as labels; NaN when nothing was scored.
 * @throws AbortError
 */
export async function* scoreText(
  session: TextSession,
  inputs: AsyncIterable<ScoreInput>,
  options: EvaluationParams & WindowOptions,
  signal: AbortSignal,
): AsyncGenerator<ScoreProgress, TextScore> {
  const windows = new ScoreWindows(options);
  const sum = { loss: 0, tokens: 0, windows: 0 };
  let bytes = 0;
  const evaluate = async function* (ready: ScoreWindow[], share: number): AsyncGenerator<ScoreProgress> {
    const { kvType, flashAttention, threads } = options;
    const windowSize = windows.isLong ? options.windowSize : (ready[0]?.tokens.length ?? 0);
    const run = session.score(
      { kvType, flashAttention, threads, windows: ready, windowSize, vocabulary: session.facts.vocabulary },
      signal,
    );
    let step = await run.next();
    for (; step.done !== true; step = await run.next()) {
      yield {
        bytes: bytes + share * (step.value.done / step.value.total),
        loss: sum.loss / sum.tokens,
      };
    }
    sum.loss += step.value.loss;
    sum.tokens += step.value.tokens;
    sum.windows += ready.length;
  };
  for await (const { tokens, bytes: share } of inputs) {
    signal.throwIfAborted();
    const ready = [...windows.push(tokens)];
    if (ready.length > 0) yield* evaluate(ready, share);
    bytes += share;
  }
  const last = [...windows.end()];
  if (last.length > 0) yield* evaluate(last, 0);
  const loss = sum.loss / sum.tokens;
  return { loss, perplexity: Math.exp(loss), tokens: sum.tokens, windows: sum.windows };
}
