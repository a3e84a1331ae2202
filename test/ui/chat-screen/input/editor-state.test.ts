import { describe, expect, it } from "vitest";
import { edit, type EditAction, emptyEditor } from "../../../../src/ui/chat-screen/input/editor-state.js";
import { EDIT_KEYS } from "../../../../src/ui/chat-screen/input/key-bindings.js";

/** "ab|c": the text with the cursor. */
function at(marked: string) {
  const cursor = marked.indexOf("|");
  return { ...emptyEditor, text: marked.replace("|", ""), cursor };
}

function press(marked: string, ...keys: string[]): string {
  const state = keys.reduce((editor, name) => edit(editor, EDIT_KEYS[name] as EditAction), at(marked));
  return `${state.text.slice(0, state.cursor)}|${state.text.slice(state.cursor)}`;
}

const family = "👨‍👩‍👧";

describe("editing keys", () => {
  it.each([
    ["ab|c", ["ctrl-a"], "|abc"],
    ["a|bc", ["ctrl-e"], "abc|"],
    ["a\nb|c\nd", ["home"], "a\n|bc\nd"],
    ["a\n|bc\nd", ["end"], "a\nbc|\nd"],
    ["ab|cd", ["ctrl-k"], "ab|"],
    ["ab|\ncd", ["ctrl-k"], "ab|cd"],
    ["ab|cd", ["ctrl-u"], "|cd"],
    ["foo bar-baz|", ["ctrl-w"], "foo |"],
    ["foo bar-baz|", ["alt-backspace"], "foo bar-|"],
    ["foo bar-baz|", ["ctrl-w", "ctrl-a", "ctrl-y"], "bar-baz|foo "],
    ["foo bar|", ["alt-b", "alt-b"], "|foo bar"],
    ["|foo  bar", ["alt-f", "alt-f"], "foo  bar|"],
    ["|foo bar", ["alt-d"], "| bar"],
    ["ab|", ["ctrl-t"], "ba|"],
    [`x${family}|y`, ["backspace"], "x|y"],
    [`x${family}|y`, ["left"], `x|${family}y`],
    ["e\u0301|x", ["backspace"], "|x"],
    ["|日本", ["right", "delete"], "日|"],
    ["ab|c", ["ctrl-j"], "ab\n|c"],
    ["|", ["backspace"], "|"],
    ["|", ["ctrl-w"], "|"],
  ] as const)("%s %j gives %s", (before, keys, after) => {
    expect(press(before, ...keys)).toBe(after);
  });
});
