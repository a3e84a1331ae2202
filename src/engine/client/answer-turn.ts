import type { AnswerTurn } from "../chat/saved/turns.js";
import type { Reply } from "./chat-session.js";
import type { ModelFacts } from "./model-facts.js";

/** An answer as a saved chat keeps it. */
export function answerTurn(
  { document, raw, startedInsideThinking, stopToken }: Reply,
  { family, name }: Pick<ModelFacts, "family" | "name">,
): AnswerTurn {
  return {
    role: "assistant",
    text: document.text,
    thinking: document.thinking,
    raw,
    startedInsideThinking,
    ...(stopToken === undefined ? {} : { stopToken }),
    finishReason: document.finish_reason,
    family: family.name,
    model: name,
  };
}
