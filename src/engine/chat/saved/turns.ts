import type { ChatBehaviour, ChatMessage } from "../../families/chat-behaviour.js";
import type { FinishReason } from "../chat-document.js";

/** What the user said. */
export interface UserTurn {
  readonly role: "user";
  readonly text: string;
}

/** What a model answered, whole or as far as it came. */
export interface AnswerTurn {
  readonly role: "assistant";
  /** the answer without the reasoning */
  readonly text: string;
  readonly thinking: string;
  /** everything the model wrote, marks of the reasoning included */
  readonly raw: string;
  readonly startedInsideThinking: boolean;
  /** text of the token that ended it; absent where none did */
  readonly stopToken?: string;
  readonly finishReason: FinishReason;
  /** name of the family whose marks `raw` has */
  readonly family: string;
  /** the model as it calls itself */
  readonly model: string;
}

export type Turn = UserTurn | AnswerTurn;

/**
 * A turn as the template takes it. The answer of another family goes in without its reasoning: its marks would be
 * words here.
 */
export function turnMessage(turn: Turn, family: { name: string; chat?: ChatBehaviour }): ChatMessage {
  if (turn.role === "user") return { role: "user", content: turn.text };
  if (family.chat === undefined || turn.family !== family.name)
    return { role: "assistant", content: turn.text };
  const { startedInsideThinking, stopToken } = turn;
  return family.chat.assistantMessage(turn.raw, {
    startedInsideThinking,
    ...(stopToken === undefined ? {} : { stopToken }),
  });
}
