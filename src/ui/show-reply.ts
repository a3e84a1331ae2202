import type { Reply, ReplyEvent } from "../engine/client/chat-session.js";
import type { AnswerWriter } from "./answer-writer.js";
import { fullNote, lossNote } from "./chat-notes.js";
import type { Progress } from "./progress.js";

/** Prompts of fewer tokens are read before a bar could be seen. */
const BAR_FROM_TOKENS = 1000;

export interface ReplySurroundings {
  readonly progress: Progress;
  /** shows what is not the answer */
  readonly note: (text: string) => void;
  /** gets the answer as it comes */
  readonly writer: AnswerWriter | undefined;
}

/** Shows a reply as it comes. @returns the finished one */
export async function showReply(
  events: AsyncGenerator<ReplyEvent, Reply>,
  { progress, note, writer }: ReplySurroundings,
): Promise<Reply> {
  let step = await events.next();
  for (; step.done !== true; step = await events.next()) {
    const event = step.value;
    if (event.kind === "prompt") {
      const { done, total } = event;
      if (total > BAR_FROM_TOKENS)
        progress.update({ label: "reading the prompt", done, total, unit: "tokens" });
      continue;
    }
    progress.finish();
    if (event.kind === "dropped" || event.kind === "shifted") note(lossNote(event));
    else writer?.write(event.kind, event.text);
  }
  progress.finish();
  writer?.end();
  const { text, thinking, finish_reason } = step.value.document;
  if (writer && text === "" && thinking !== "")
    note("all of it was reasoning: give more --max-tokens, or --no-think, or look with --thinking stdout");
  if (finish_reason === "overflow") note(fullNote("--overflow shift"));
  return step.value;
}
