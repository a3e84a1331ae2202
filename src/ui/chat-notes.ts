import type { ReplyEvent } from "../engine/client/chat-session.js";
import { safeLine } from "./safe-text.js";

/** Another process wrote to the saved chat first: this one has begun a file of its own. */
export function movedNote(file: string): string {
  return `another parley has written to this chat; this one goes on in ${safeLine(file)}`;
}

/** What was lost because the context is full. */
export function lossNote(event: Extract<ReplyEvent, { kind: "dropped" | "shifted" }>): string {
  if (event.kind === "shifted") return `the context is full: forgot the oldest ${event.tokens} tokens`;
  const messages = event.messages > 0 ? `${event.messages} messages with ` : "";
  return `the context is full: left out ${messages}${event.tokens} tokens`;
}

/** @param remedy how to have the oldest tokens forgotten instead */
export function fullNote(remedy: string): string {
  return `the answer ends here because the context is full (--ctx-size, or ${remedy})`;
}
