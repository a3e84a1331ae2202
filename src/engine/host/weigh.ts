import { keepCommonPrefix } from "./generate.js";
import { dropUncountedCells } from "./llama-binding.js";
import type { WeighParams, WeighResult } from "./protocol.js";
import { asTokens, type TextModel } from "./text-model.js";

/**
 * How likely each candidate is to come next. Evaluates the part of the sequence that the cache does not hold.
 * @throws AbortError when the signal fires; the cache stays whole
 */
export async function* weigh(
  text: TextModel,
  { tokens, candidates }: WeighParams,
  signal: AbortSignal,
): AsyncGenerator<{ done: number; total: number }, WeighResult> {
  const { sequence } = text;
  const reusedTokens = await keepCommonPrefix(text, tokens);
  let next = reusedTokens;
  const abortDecode = () => text.setAborted(true);
  signal.addEventListener("abort", abortDecode, { once: true });
  try {
    while (tokens.length - next > text.batchSize) {
      signal.throwIfAborted();
      const batch = tokens.slice(next, next + text.batchSize);
      await sequence.evaluateWithoutGeneratingNewTokens(asTokens(batch));
      next += batch.length;
      yield { done: next, total: tokens.length };
    }
    signal.throwIfAborted();
    const rest = asTokens(tokens.slice(next));
    const generateNext = {
      logits: { filter: { tokens: asTokens(candidates), includeMax: true } },
      totalLogitWeight: true,
      // the likeliest token: no filter has touched the logits then
      options: { temperature: 0 },
    };
    const last = rest.pop()!;
    const outputs = await sequence.controlledEvaluate([...rest, [last, { generateNext }]]);
    const { logits, totalLogitWeight } = outputs.at(-1)?.next ?? {};
    if (!logits || totalLogitWeight === undefined) throw new Error("the engine gave no logits");
    const max = Math.max(...logits.values());
    const probability = (logit = -Infinity) => Math.exp(logit - max) / totalLogitWeight;
    return { probabilities: asTokens(candidates).map((id) => probability(logits.get(id))), reusedTokens };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abortDecode);
    if (signal.aborted) {
      text.setAborted(false);
      dropUncountedCells(sequence);
    }
  }
}
