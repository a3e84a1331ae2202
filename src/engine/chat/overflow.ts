import { UserError } from "../errors.js";
import type { ChatMessage } from "../families/chat-behaviour.js";

/**
 * What to do with a conversation that does not fit the context:
 * - error: stop before anything is evaluated
 * - trim: leave out the oldest turns, and say so
 * - shift: as trim before generating; an answer that reaches the end pushes the oldest tokens out
 */
export type OverflowPolicy = "error" | "trim" | "shift";

export interface ContextLimits {
  /** Tokens the context holds, prompt and answer together. */
  readonly contextSize: number;
  /** Tokens the answer may have; absent: no limit but the context. */
  readonly maxTokens?: number;
  readonly policy: OverflowPolicy;
}

export interface FittedConversation {
  readonly messages: readonly ChatMessage[];
  readonly promptTokens: number;
  /** What was left out, for the user: messages and the tokens they made up. Absent when nothing was. */
  readonly dropped?: { readonly messages: number; readonly tokens: number };
}

/**
 * The conversation, or as much of its end as fits. System messages at the beginning and the last turn always stay; a
 * turn is a user message with everything up to the next one. With trim and shift room is made for the answer:
 * maxTokens, but no more than a quarter of the context. Where that cannot be had, one token is enough, as with error.
 * @param count tokens of the rendered prompt for these messages; called about log2(turns) times
 * @throws UserError CONTEXT_OVERFLOW (exit 2: the request is too large for the context that was asked for)
 */
export async function fitConversation(
  messages: readonly ChatMessage[],
  limits: ContextLimits,
  count: (messages: readonly ChatMessage[]) => Promise<number>,
): Promise<FittedConversation> {
  const whole = await count(messages);
  const candidates = limits.policy === "error" ? [] : shortenings(messages);
  const wanted = limits.contextSize - answerRoom(limits);
  if (whole <= wanted) return { messages, promptTokens: whole };
  const last = candidates.at(-1) ?? messages;
  let fitted = { messages: last, promptTokens: candidates.length === 0 ? whole : await count(last) };
  if (fitted.promptTokens >= limits.contextSize) throw contextOverflow(whole, limits);
  // Fewer turns make fewer tokens, so the longest conversation that leaves the room is found by halving.
  for (let low = 0, high = candidates.length - 1; low < high;) {
    const middle = (low + high) >> 1;
    const promptTokens = await count(candidates[middle]!);
    if (promptTokens > wanted) low = middle + 1;
    else {
      fitted = { messages: candidates[middle]!, promptTokens };
      high = middle;
    }
  }
  const missing = messages.length - fitted.messages.length;
  if (missing === 0) return fitted;
  return { ...fitted, dropped: { messages: missing, tokens: whole - fitted.promptTokens } };
}

function answerRoom({ contextSize, maxTokens = Infinity, policy }: ContextLimits): number {
  if (policy === "error") return 1;
  return Math.max(1, Math.min(maxTokens, Math.floor(contextSize / 4)));
}

/** The conversation without its first turn, without its first two, ... down to the last turn. */
export function shortenings(messages: readonly ChatMessage[]): ChatMessage[][] {
  const firstTurn = messages.findIndex(({ role }) => role !== "system");
  if (firstTurn < 0) return [];
  const system = messages.slice(0, firstTurn);
  const turnStarts = [...messages.keys()].filter((i) => i > firstTurn && messages[i]!.role === "user");
  return turnStarts.map((start) => [...system, ...messages.slice(start)]);
}

/** The error for a prompt that leaves no room, with what would help. */
function contextOverflow(promptTokens: number, { contextSize, policy }: ContextLimits): UserError {
  const trimmed = policy === "error" ? "" : ", even without the older turns";
  const hint = policy === "error" ? ", or leave out old turns with --overflow trim" : "";
  return new UserError(
    "usage",
    "CONTEXT_OVERFLOW",
    `the prompt takes ${promptTokens} of ${contextSize} tokens of context${trimmed}, and none is left for an answer`,
    `Shorten it, raise --ctx-size${hint}.`,
  );
}

/**
 * Plain tokens (--raw, --prompt-tokens) under the same policies: what is left out comes from the middle, behind the
 * tokens to keep.
 * @param keep tokens at the beginning that always stay, such as the one that begins a text
 * @throws UserError CONTEXT_OVERFLOW
 */
export function fitTokens(tokens: readonly number[], keep: number, limits: ContextLimits): number[] {
  const room = limits.contextSize - answerRoom(limits);
  if (tokens.length <= room) return [...tokens];
  if (limits.policy === "error" || room <= keep) throw contextOverflow(tokens.length, limits);
  return [...tokens.slice(0, keep), ...tokens.slice(tokens.length - (room - keep))];
}
