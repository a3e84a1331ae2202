import { rounded } from "../system/rounded.js";

/** Why a generation ended. */
export type FinishReason = "stop" | "length" | "interrupted" | "overflow";

/** How fast a generation went; names and meaning are part of the command line's contract. */
export interface Speeds {
  /** Milliseconds from the request until the first token of the answer was there. */
  readonly first_token_ms: number;
  /** Prompt tokens evaluated per second. */
  readonly prompt_per_second: number;
  /** Tokens generated per second, the first not counted: it comes with the prompt. */
  readonly tokens_per_second: number;
}

/** What `parley chat --json` prints; field names and meaning are part of the command line's contract. */
export interface ChatDocument {
  readonly model: string;
  /** The answer without the reasoning. */
  readonly text: string;
  /** The reasoning; empty where there was none. */
  readonly thinking: string;
  /** Ids of the generated tokens, in order; the one that ended the generation is the last, as in transformers. */
  readonly token_ids: readonly number[];
  readonly finish_reason: FinishReason;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly timings: {
    /** Milliseconds from the start of the command until the model was ready. */
    readonly load_ms: number;
  } & Speeds;
}

export interface GenerationResult {
  readonly model: string;
  readonly text: string;
  readonly thinking: string;
  readonly tokenIds: readonly number[];
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  /** Prompt tokens that were evaluated and not taken from a cache; promptTokens when absent. */
  readonly evaluatedTokens?: number;
  readonly loadMs: number;
  readonly firstTokenMs: number;
  /** Milliseconds the evaluation of the prompt took. */
  readonly promptMs: number;
  /** Milliseconds from the first token to the last. */
  readonly generationMs: number;
}

export function chatDocument(result: GenerationResult): ChatDocument {
  const { evaluatedTokens = result.promptTokens, tokenIds } = result;
  return {
    model: result.model,
    text: result.text,
    thinking: result.thinking,
    token_ids: tokenIds,
    finish_reason: result.finishReason,
    usage: { prompt_tokens: result.promptTokens, completion_tokens: tokenIds.length },
    timings: {
      load_ms: rounded(result.loadMs),
      ...speedsOf({ ...result, evaluatedTokens, generatedTokens: tokenIds.length }),
    },
  };
}

/** The figures of one generation, rounded to thousandths. */
export function speedsOf(run: {
  readonly firstTokenMs: number;
  readonly evaluatedTokens: number;
  readonly promptMs: number;
  readonly generatedTokens: number;
  readonly generationMs: number;
}): Speeds {
  return {
    first_token_ms: rounded(run.firstTokenMs),
    prompt_per_second: perSecond(run.evaluatedTokens, run.promptMs),
    tokens_per_second: perSecond(run.generatedTokens - 1, run.generationMs),
  };
}

/** A rate that is a number whatever the clock says: JSON has no infinity. */
function perSecond(tokens: number, ms: number): number {
  return tokens > 0 && ms > 0 ? rounded((1000 * tokens) / ms) : 0;
}
