import type { LlamaContextSequence } from "node-llama-cpp";
import type { Sampling } from "./protocol.js";
import { asTokens } from "./text-model.js";

/**
 * Appends tokens to a sequence and samples one, with its probability among the tokens that temperature and filters
 * left. Slower than sampling alone: the whole vocabulary is sorted each time. Takes no repeat penalty and no grammar.
 */
export async function sampleWeighed(
  sequence: LlamaContextSequence,
  tokens: readonly number[],
  { temperature, topK, topP, minP, seed }: Sampling,
): Promise<{ sampled: Int32Array; probability: number }> {
  const rest = asTokens(tokens);
  const last = rest.slice(-1)[0]!;
  // every call has a sampler of its own: the position makes its dice fall differently
  const position = sequence.nextTokenIndex + tokens.length;
  const options = { temperature, topK, topP, minP, seed: (seed + Math.imul(position, 0x9e3779b1)) >>> 0 };
  const outputs = await sequence.controlledEvaluate([
    ...rest.slice(0, -1),
    [last, { generateNext: { token: true, confidence: true, options } }],
  ]);
  const { token, confidence } = outputs.at(-1)?.next ?? {};
  if (token == null || confidence === undefined) throw new Error("the engine sampled no token");
  return { sampled: Int32Array.of(Number(token)), probability: confidence };
}
