import { LlamaGrammarEvaluationState } from "node-llama-cpp";
import { nativeGrammarState, nativeModel } from "./llama-binding.js";
import type { NativeSampler } from "./native-addon.js";
import type { Sampling } from "./protocol.js";
import type { TextModel } from "./text-model.js";

/** How far back the repeat penalty looks, as llama.cpp's default. */
const PENALTY_TOKENS = 64;

/**
 * A sampler chain for one answer.
 * @param before     tokens before the answer, for the repeat penalty
 * @param jsonSchema schema the text must follow
 */
export async function createSampler(
  { binding, model }: TextModel,
  sampling: Sampling,
  before: readonly number[],
  jsonSchema?: unknown,
): Promise<NativeSampler> {
  const config: Record<string, unknown> = {
    temperature: sampling.temperature,
    topK: sampling.topK,
    topP: sampling.topP,
    minP: sampling.minP,
    seed: sampling.seed,
  };
  if (sampling.repeatPenalty !== 1) {
    config.repeatPenalty = sampling.repeatPenalty;
    config.repeatPenaltyMaxTokens = PENALTY_TOKENS;
    config.repeatPenaltyTokens = Uint32Array.from(before.slice(-PENALTY_TOKENS));
  }
  if (jsonSchema !== undefined) {
    const grammar = await binding.llama.createGrammarForJsonSchema(
      jsonSchema as Parameters<typeof binding.llama.createGrammarForJsonSchema>[0],
    );
    config.grammarEvaluationState = nativeGrammarState(new LlamaGrammarEvaluationState({ model, grammar }));
  }
  const sampler = new binding.addon.AddonSampler(nativeModel(model));
  sampler.applyConfig(config);
  return sampler;
}
