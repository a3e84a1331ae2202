import { graphemeAfter, graphemeBefore } from "../chat-screen/input/graphemes.js";
import type { KeyEvent } from "../chat-screen/input/key-event.js";
import { keyName } from "../chat-screen/input/key-event.js";
import type { TypedLine } from "./screen-state.js";

/** Longest line that can be typed, in UTF-16 units. */
const LONGEST = 4000;

/** A key in a line that is being typed. @returns "done", "cancelled", or the line as it is then */
export function typeKey(line: TypedLine, event: KeyEvent): TypedLine | "done" | "cancelled" {
  const { text, at } = line;
  if (event.kind !== "key") {
    const added = event.text.replace(/[\r\n]+/g, " ").slice(0, LONGEST - text.length);
    return { ...line, text: text.slice(0, at) + added + text.slice(at), at: at + added.length };
  }
  const remove = (from: number, to: number): TypedLine => ({
    ...line,
    text: text.slice(0, from) + text.slice(to),
    at: from,
  });
  switch (keyName(event)) {
    case "enter":
      return "done";
    case "escape":
    case "ctrl-c":
      return "cancelled";
    case "left":
    case "ctrl-b":
      return { ...line, at: graphemeBefore(text, at) };
    case "right":
    case "ctrl-f":
      return { ...line, at: graphemeAfter(text, at) };
    case "home":
    case "ctrl-a":
      return { ...line, at: 0 };
    case "end":
    case "ctrl-e":
      return { ...line, at: text.length };
    case "backspace":
    case "ctrl-h":
      return remove(graphemeBefore(text, at), at);
    case "delete":
    case "ctrl-d":
      return remove(at, graphemeAfter(text, at));
    case "ctrl-u":
      return remove(0, at);
    case "ctrl-k":
      return remove(at, text.length);
    default:
      return line;
  }
}
