import { bigWordBefore, graphemeAfter, graphemeBefore, wordAfter, wordBefore } from "./graphemes.js";

/** The text being typed. Pastes too large to show stand in it as one character each (see paste-slots.ts). */
export interface EditorState {
  readonly text: string;
  /** UTF-16 offset, always between two graphemes */
  readonly cursor: number;
  /** what the last Ctrl-K, -U or -W removed; Ctrl-Y brings it back */
  readonly killed: string;
}

export const emptyEditor: EditorState = { text: "", cursor: 0, killed: "" };

export type EditAction =
  | { readonly type: "insert"; readonly text: string }
  | { readonly type: "replace"; readonly text: string; readonly cursor?: number }
  | { readonly type: "move"; readonly to: Place }
  | { readonly type: "delete"; readonly to: Place; readonly keep?: "kill" }
  | { readonly type: "yank" }
  | { readonly type: "transpose" };

export type Place =
  | "left"
  | "right"
  | "word-left"
  | "word-right"
  | "big-word-left"
  | "line-start"
  | "line-end"
  | "start"
  | "end"
  | "line-up"
  | "line-down";

/** What an editing key does to the text. */
export function edit(state: EditorState, action: EditAction): EditorState {
  const { text, cursor } = state;
  switch (action.type) {
    case "insert":
      return insert(state, action.text);
    case "replace":
      return { ...state, text: action.text, cursor: action.cursor ?? action.text.length };
    case "move":
      return { ...state, cursor: find(text, cursor, action.to) };
    case "delete": {
      const to = find(text, cursor, action.to);
      // at the end of a line Ctrl-K takes the line break, as in a shell's editor
      const border = to === cursor && action.to === "line-end" ? Math.min(text.length, cursor + 1) : to;
      const [from, until] = border < cursor ? [border, cursor] : [cursor, border];
      const removed = text.slice(from, until);
      if (removed === "") return state;
      return {
        text: text.slice(0, from) + text.slice(until),
        cursor: from,
        killed: action.keep === "kill" ? removed : state.killed,
      };
    }
    case "yank":
      return insert(state, state.killed);
    case "transpose":
      return transpose(state);
  }
}

function insert(state: EditorState, piece: string): EditorState {
  const { text, cursor } = state;
  return {
    ...state,
    text: text.slice(0, cursor) + piece + text.slice(cursor),
    cursor: cursor + piece.length,
  };
}

function transpose(state: EditorState): EditorState {
  const { text } = state;
  const end = state.cursor === text.length ? text.length : graphemeAfter(text, state.cursor);
  const middle = graphemeBefore(text, end);
  const start = graphemeBefore(text, middle);
  if (start === middle) return state;
  const swapped = text.slice(middle, end) + text.slice(start, middle);
  return { ...state, text: text.slice(0, start) + swapped + text.slice(end), cursor: end };
}

function find(text: string, at: number, place: Place): number {
  switch (place) {
    case "left":
      return graphemeBefore(text, at);
    case "right":
      return graphemeAfter(text, at);
    case "word-left":
      return wordBefore(text, at);
    case "word-right":
      return wordAfter(text, at);
    case "big-word-left":
      return bigWordBefore(text, at);
    case "line-start":
      return lineStart(text, at);
    case "line-end":
      return lineEnd(text, at);
    case "start":
      return 0;
    case "end":
      return text.length;
    case "line-up":
      return otherLine(text, at, lineStart(text, Math.max(0, lineStart(text, at) - 1)));
    case "line-down":
      return otherLine(text, at, Math.min(text.length, lineEnd(text, at) + 1));
  }
}

/** The place in another line that is as far from its start; never inside a grapheme. */
function otherLine(text: string, at: number, start: number): number {
  const wanted = Math.min(lineEnd(text, start), start + (at - lineStart(text, at)));
  let place = start;
  while (place < wanted) {
    const next = graphemeAfter(text, place);
    if (next > wanted) break;
    place = next;
  }
  return place;
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
