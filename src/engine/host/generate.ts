import {
  cutSequence,
  dropUncountedCells,
  newestCheckpoint,
  restoreCheckpoint,
  sampleTokens,
  takeCheckpoint,
} from "./llama-binding.js";
import type { SampledTokens } from "./native-addon.js";
import type { GenerateEvent, GenerateParams, GenerateResult } from "./protocol.js";
import { asTokens, CHECKPOINTS, type TextModel } from "./text-model.js";
import { createSampler } from "./token-sampler.js";

/** Tokens that are made within this many milliseconds travel together: every hand-over costs the cores that compute. */
const FLUSH_MS = 50;

/** Fewer tokens than these are read again rather than kept in a checkpoint. */
const SPARE_APART = 32;

type Outcome = Pick<GenerateResult, "stopReason" | "stopToken" | "generatedTokens" | "firstTokenMs">;

/**
 * Evaluates the part of a sequence the cache does not hold, then samples until a stop token, maxTokens,
 * the end of the context or the signal.
 * An abort is a normal end ("interrupted"): what was sampled stays in the cache and in the events.
 */
export async function* generate(
  text: TextModel,
  params: GenerateParams,
  contextSize: number,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, GenerateResult> {
  const started = performance.now();
  const { tokens, maxTokens } = params;
  const reusedTokens = await keepCommonPrefix(text, tokens);
  const outcome: Outcome = { stopReason: "length", generatedTokens: 0, firstTokenMs: 0 };

  const abortDecode = () => text.setAborted(true);
  signal.addEventListener("abort", abortDecode, { once: true });
  try {
    if (maxTokens !== 0) {
      const next = yield* readPrompt(text, tokens, reusedTokens, signal);
      const onFirstToken = async () => {
        outcome.firstTokenMs = performance.now() - started;
        // from here on a token is short enough to be waited for, and the cache stays whole
        signal.removeEventListener("abort", abortDecode);
        await keepCheckpoint(text);
      };
      if (signal.aborted) outcome.stopReason = "interrupted";
      else yield* sampleAnswer(text, params, { next, contextSize, signal, outcome, onFirstToken });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    outcome.stopReason = "interrupted";
  } finally {
    signal.removeEventListener("abort", abortDecode);
    if (signal.aborted) {
      text.setAborted(false);
      dropUncountedCells(text.sequence);
    }
  }
  const total = performance.now() - started;
  const promptMs = outcome.firstTokenMs || total;
  return {
    ...outcome,
    promptTokens: tokens.length,
    reusedTokens,
    promptMs,
    generateMs: total - promptMs,
  };
}

/**
 * Reads all of the prompt but its last batch, which brings the first token.
 * @param next tokens the cache holds already
 * @returns tokens the cache holds then; after an abort, too few
 */
async function* readPrompt(
  text: TextModel,
  tokens: readonly number[],
  next: number,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, number> {
  const reusedTokens = next;
  yield { kind: "prompt", done: next, total: tokens.length };
  await keepSpareCheckpoint(text);
  while (tokens.length - next > text.batchSize) {
    if (signal.aborted) return next;
    const batch = tokens.slice(next, next + text.batchSize);
    await text.sequence.evaluateWithoutGeneratingNewTokens(asTokens(batch));
    next += batch.length;
    yield { kind: "prompt", done: next, total: tokens.length };
  }
  if (!signal.aborted && next > reusedTokens) await keepSpareCheckpoint(text);
  return next;
}

interface AnswerOptions {
  /** tokens of the prompt the cache holds */
  readonly next: number;
  readonly contextSize: number;
  readonly signal: AbortSignal;
  /** where the end is written, and how far the answer has come */
  readonly outcome: Outcome;
  readonly onFirstToken: () => Promise<void>;
}

async function* sampleAnswer(
  text: TextModel,
  { tokens, maxTokens, sampling, stopTokens, jsonSchema, probabilities, lookup }: GenerateParams,
  { next, contextSize, signal, outcome, onFirstToken }: AnswerOptions,
): AsyncGenerator<GenerateEvent, void> {
  const stops = Int32Array.from(stopTokens);
  // node-llama-cpp shifts a context on its own when its last cell is needed
  const room = contextSize - 1 - tokens.length;
  const most = Math.min(maxTokens ?? Infinity, Math.max(1, room));
  outcome.stopReason = most === maxTokens ? "length" : "overflow";
  const sampler = await createSampler(text, sampling, tokens, jsonSchema);
  const visit = (chunk: readonly number[]): Promise<SampledTokens> => {
    const sampled = sampleTokens(text.binding.addon, text.sequence, sampler, chunk, {
      stopTokens: stops,
      maxTokens: outcome.firstTokenMs === 0 ? 1 : most - outcome.generatedTokens,
      budgetMs: FLUSH_MS,
      probabilities: probabilities === true,
      lookup: lookup === true,
    });
    // a failure is thrown where it is waited for, which may be later
    sampled.catch(() => undefined);
    return sampled;
  };
  let running: Promise<SampledTokens> | undefined = visit(tokens.slice(next));
  try {
    while (running) {
      const sampled = await running;
      running = undefined;
      if (outcome.firstTokenMs === 0) await onFirstToken();
      const last = sampled.tokens.at(-1) ?? -1;
      const stopped = stops.includes(last);
      const ids = Array.from(stopped ? sampled.tokens.subarray(0, -1) : sampled.tokens);
      outcome.generatedTokens += ids.length;
      if (stopped) {
        outcome.stopToken = last;
        outcome.stopReason = "stop";
      } else if (signal.aborted) {
        outcome.stopReason = "interrupted";
      } else if (outcome.generatedTokens < most) {
        // the next tokens are made while these are told of
        running = visit([last]);
      }
      if (ids.length > 0) {
        yield {
          kind: "tokens",
          ids,
          bytes: joinBytes(ids.map((id) => text.bytes(id, true))),
          ...(sampled.probabilities
            ? { probabilities: Array.from(sampled.probabilities.subarray(0, ids.length)) }
            : {}),
        };
      }
    }
  } finally {
    await running?.catch(() => undefined);
    sampler.dispose();
  }
}

/**
 * Makes the cache hold a prefix of `tokens`, leaving at least one token to evaluate.
 * @returns how many tokens need no evaluation
 */
export async function keepCommonPrefix(text: TextModel, tokens: number[]): Promise<number> {
  const { sequence } = text;
  const held = sequence.contextTokens;
  let common = 0;
  while (common < held.length && common < tokens.length - 1 && Number(held[common]) === tokens[common])
    common++;
  if (common === held.length) return common;

  const window = slidingWindow(text);
  const isWhole = window === 0 || reachesBack(sequence.stateCellsStartIndex, common, window);
  const isCut = isWhole ? cutSequence(sequence, common) : await restoreCheckpoint(sequence, common, window);
  if (!isCut) await sequence.clearHistory();
  return sequence.nextTokenIndex;
}

/**
 * Does the cache of the sliding layers still hold all the next token may look at? Cells that have left the
 * window are overwritten, so a sequence that was cut back can lack keys the reference would attend to.
 */
function reachesBack(oldest: number, next: number, window: number): boolean {
  return oldest <= Math.max(0, Math.min(next - 1, next - window + 1));
}

/** The sliding window in tokens; 0: there is none, or its layers have caches of full size. */
function slidingWindow({ sequence, model }: TextModel): number {
  return sequence.needsCheckpoints ? (model.fileInsights.swaSize ?? 0) : 0;
}

/**
 * Before an answer overwrites what the window holds: with a checkpoint the prompt can be answered again without being
 * read again. Not needed while everything fits into the window's cache.
 */
async function keepCheckpoint(text: TextModel): Promise<void> {
  const window = slidingWindow(text);
  if (window > 0 && text.sequence.nextTokenIndex > window / 2) await takeCheckpoint(text.sequence);
}

/**
 * A checkpoint serves its own position only, because it holds no more than the window. For a message that is taken back
 * or changed later there is one where its first new token goes, and one before the last batch; not where they are large
 * or would save a few tokens only.
 */
async function keepSpareCheckpoint(text: TextModel): Promise<void> {
  const { sequence } = text;
  const newest = newestCheckpoint(sequence);
  const { max, maxMemory } = CHECKPOINTS;
  if (newest !== undefined) {
    if (newest.size * max > maxMemory || sequence.nextTokenIndex - newest.tokens < SPARE_APART) return;
  }
  await keepCheckpoint(text);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
