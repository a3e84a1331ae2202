import type { ScreenAction, ScreenState } from "../screen-state.js";
import { EDIT_KEYS } from "./key-bindings.js";
import { lineEnd, lineStart } from "./editor-state.js";
import { keyName, type KeyEvent } from "./key-event.js";

/** What a key asks for beyond changing the screen. */
export type Intent =
  "send" | "stop" | "leave" | "open-editor" | "suspend" | "complete" | "redraw" | "restart" | "show-thinking";

export type Meaning = { readonly action: ScreenAction } | { readonly intent: Intent } | undefined;

/** What a key means at this moment. Pure. */
export function interpretKey(event: KeyEvent, state: ScreenState): Meaning {
  if (state.phase === "dead" && event.kind === "key" && event.name === "enter") return { intent: "restart" };
  if (state.search !== undefined) return searchKey(event, state);
  if (event.kind === "paste") return { action: { type: "paste", text: event.text } };
  if (event.kind === "text") return { action: { type: "edit", edit: { type: "insert", text: event.text } } };
  const name = keyName(event);
  switch (name) {
    case "ctrl-c":
      return interrupt(state);
    case "ctrl-d":
      return state.editor.text === ""
        ? { intent: "leave" }
        : { action: { type: "edit", edit: { type: "delete", to: "right" } } };
    case "enter":
      return isOpenBlock(state.editor.text)
        ? { action: { type: "edit", edit: { type: "insert", text: "\n" } } }
        : { intent: "send" };
    case "tab":
      return { intent: "complete" };
    case "ctrl-g":
      return { intent: "open-editor" };
    case "ctrl-z":
      return { intent: "suspend" };
    case "ctrl-l":
      return { intent: "redraw" };
    case "ctrl-o":
      return { intent: "show-thinking" };
    case "ctrl-r":
      return { action: { type: "search", query: "" } };
    case "up":
    case "ctrl-p":
      return vertical(state, -1);
    case "down":
    case "ctrl-n":
      return vertical(state, 1);
  }
  const bound = EDIT_KEYS[name];
  return bound === undefined ? undefined : { action: { type: "edit", edit: bound } };
}

function interrupt(state: ScreenState): Meaning {
  if (state.phase === "answering" || state.phase === "working") return { intent: "stop" };
  if (state.phase === "stopping") return undefined;
  if (state.editor.text !== "") return { action: { type: "set-input", text: "" } };
  return state.askedToLeave ? { intent: "leave" } : { action: { type: "ask-to-leave" } };
}

/** Up and Down move in a text of several lines, and beyond its ends through the history. */
function vertical(state: ScreenState, direction: -1 | 1): Meaning {
  const { text, cursor } = state.editor;
  const isAtBorder = direction < 0 ? lineStart(text, cursor) === 0 : lineEnd(text, cursor) === text.length;
  if (isAtBorder) return { action: { type: "recall", direction } };
  return { action: { type: "edit", edit: { type: "move", to: direction < 0 ? "line-up" : "line-down" } } };
}

function searchKey(event: KeyEvent, state: ScreenState): Meaning {
  const { query, found } = state.search!;
  if (event.kind === "text") return { action: { type: "search", query: query + event.text } };
  if (event.kind === "paste")
    return { action: { type: "search", query: query + event.text.split("\n", 1)[0]! } };
  switch (keyName(event)) {
    case "ctrl-r":
      return { action: { type: "search", query, before: found ?? 0 } };
    case "backspace":
      return { action: { type: "search", query: [...query].slice(0, -1).join("") } };
    case "ctrl-c":
    case "ctrl-g":
    case "escape":
      return { action: { type: "end-search", take: false } };
    default:
      return { action: { type: "end-search", take: true } };
  }
}

/** Has a text begun with """ and not yet ended with it? */
function isOpenBlock(text: string): boolean {
  const trimmed = text.trimStart();
  return trimmed.startsWith('"""') && (trimmed.length < 6 || !trimmed.trimEnd().endsWith('"""'));
}

/** A message without the """ around it. */
export function withoutBlockMarks(text: string): string {
  const trimmed = text.trim();
  const isBlock = trimmed.length >= 6 && trimmed.startsWith('"""') && trimmed.endsWith('"""');
  return isBlock ? trimmed.slice(3, -3).replace(/^\n|\n$/g, "") : text;
}
