import type { EditAction } from "./editor-state.js";

/** Keys that edit the line, as in a shell (readline's Emacs keys), by keyName(). */
export const EDIT_KEYS: Readonly<Record<string, EditAction>> = {
  left: { type: "move", to: "left" },
  right: { type: "move", to: "right" },
  "ctrl-b": { type: "move", to: "left" },
  "ctrl-f": { type: "move", to: "right" },
  "alt-b": { type: "move", to: "word-left" },
  "alt-f": { type: "move", to: "word-right" },
  "ctrl-left": { type: "move", to: "word-left" },
  "ctrl-right": { type: "move", to: "word-right" },
  "alt-left": { type: "move", to: "word-left" },
  "alt-right": { type: "move", to: "word-right" },
  "ctrl-a": { type: "move", to: "line-start" },
  "ctrl-e": { type: "move", to: "line-end" },
  home: { type: "move", to: "line-start" },
  end: { type: "move", to: "line-end" },
  "ctrl-home": { type: "move", to: "start" },
  "ctrl-end": { type: "move", to: "end" },
  "alt-<": { type: "move", to: "start" },
  "alt->": { type: "move", to: "end" },
  backspace: { type: "delete", to: "left" },
  delete: { type: "delete", to: "right" },
  "ctrl-k": { type: "delete", to: "line-end", keep: "kill" },
  "ctrl-u": { type: "delete", to: "line-start", keep: "kill" },
  "ctrl-w": { type: "delete", to: "big-word-left", keep: "kill" },
  "alt-backspace": { type: "delete", to: "word-left", keep: "kill" },
  "alt-d": { type: "delete", to: "word-right", keep: "kill" },
  "ctrl-y": { type: "yank" },
  "ctrl-t": { type: "transpose" },
  "ctrl-j": { type: "insert", text: "\n" },
  "alt-enter": { type: "insert", text: "\n" },
};

/** For /help: what the other keys do. */
export const KEY_HELP: readonly (readonly [string, string])[] = [
  ["Enter", 'send; after a line that is """ alone, the text goes on until the next """'],
  ["Alt-Enter, Ctrl-J", "new line"],
  ["Up, Down", "history (in a text of several lines: the line above or below first)"],
  ["Ctrl-R", "search the history"],
  ["Tab", "complete a command or a file name"],
  ["Ctrl-A/E, Alt-B/F", "line start, line end, word back, word forward"],
  [
    "Ctrl-K/U/W, Alt-D",
    "delete to the end, to the start, the word before, the word behind; Ctrl-Y brings it back",
  ],
  ["Ctrl-G", "write the message in $EDITOR"],
  ["Ctrl-O", "show thinking, or fold it"],
  ["Ctrl-L", "draw the screen again"],
  ["Ctrl-C", "stop the answer and keep what came; clear the line; twice when idle: leave"],
  ["Ctrl-Z", "suspend; fg in the shell comes back"],
  ["Ctrl-D", "leave"],
];
