import type { TextSession } from "../engine/client/text-session.js";
import { UserError } from "../engine/errors.js";
import { defaultContextSize } from "./chat-options.js";
import { flashAttention } from "./model-flags.js";

export interface ContextFlags {
  "ctx-size"?: number | undefined;
  "kv-type": "f16" | "f32" | "q8_0";
  "flash-attn": "on" | "off" | "auto";
  "swa-full": boolean;
}

/** Tokens per evaluation of a long prompt. */
export const BATCH_SIZE = 512;

/** Makes the context when it is first needed, and a larger one when a later prompt needs more. */
export class ContextSizer {
  private size = 0;

  constructor(
    private readonly session: TextSession,
    private readonly flags: ContextFlags,
  ) {}

  /** @returns the size of a context that holds the prompt and the answer, as far as the model or the user allow it */
  async fit(promptTokens: number, maxTokens: number | undefined, signal: AbortSignal): Promise<number> {
    let wanted = this.flags["ctx-size"] ?? defaultContextSize(this.session.facts, promptTokens, maxTokens);
    if (wanted > this.size) {
      // a new context starts empty: a conversation that grows shall not need one every turn
      if (this.size > 0) wanted = Math.min(this.session.facts.contextLength, Math.max(wanted, 2 * this.size));
      await this.session.createContext(
        {
          contextSize: wanted,
          batchSize: Math.min(BATCH_SIZE, wanted),
          kvType: this.flags["kv-type"],
          flashAttention: flashAttention(this.flags),
          swaFull: this.flags["swa-full"],
        },
        signal,
      );
      this.size = wanted;
    }
    return this.size;
  }
}

/** @throws UserError CONTEXT_SIZE (exit 2) */
export function refuseLongerContext(asked: number | undefined, contextLength: number): void {
  if (asked === undefined || asked <= contextLength) return;
  throw new UserError(
    "usage",
    "CONTEXT_SIZE",
    `--ctx-size ${asked} is more than the model's context of ${contextLength} tokens.`,
    `Give at most --ctx-size ${contextLength}.`,
  );
}
