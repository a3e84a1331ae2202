import { describe, expect, it } from "vitest";
import { columnsOf } from "../../../../src/ui/chat-screen/input/graphemes.js";
import { editorRows } from "../../../../src/ui/chat-screen/input/editor-rows.js";
import { emptyEditor } from "../../../../src/ui/chat-screen/input/editor-state.js";
import { insertPaste } from "../../../../src/ui/chat-screen/input/paste-slots.js";

const PROMPTS = [">>> ", "... "] as const;

/** The rows with the cursor's cell in brackets. "|" marks where the cursor stands. */
function rows(
  marked: string,
  { columns = 20, maxRows = 10, slots = [] as readonly string[] } = {},
): string[] {
  const cursor = marked.indexOf("|");
  const state = { ...emptyEditor, text: marked.replace("|", ""), cursor };
  return editorRows(state, { slots, prompts: PROMPTS, columns, maxRows }).map(
    ({ before, cursor: cell, after }) => (cell === undefined ? before + after : `${before}[${cell}]${after}`),
  );
}

describe("editorRows", () => {
  it("draws the cursor on a character, behind the end, and at the end of a line", () => {
    expect(rows("a|b")).toEqual([">>> a[b]"]);
    expect(rows("ab|")).toEqual([">>> ab[ ]"]);
    expect(rows("a|\nb")).toEqual([">>> a[ ]", "... b"]);
  });

  it("breaks a long line and gives the cursor a row of its own where there is no room", () => {
    expect(rows("abcdef|", { columns: 8 })).toEqual([">>> abcd", "    ef[ ]"]);
    expect(rows("abcd|", { columns: 8 })).toEqual([">>> abcd", "[ ]"]);
  });

  it("does not cut wide characters", () => {
    expect(rows("日本語|", { columns: 9 })).toEqual([">>> 日本", "    語[ ]"]);
  });

  it("shows the rows around the cursor", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n");
    expect(rows(`${lines}|`, { maxRows: 2 })).toEqual(["... line 28", "... line 29[ ]"]);
    expect(rows(`|${lines}`, { maxRows: 2 })).toEqual([">>> [l]ine 0", "... line 1"]);
  });

  it("shows large pastes as labels, and control characters as escapes", () => {
    const { inserted, slots } = insertPaste([], "line\n".repeat(100));
    expect(rows(`see ${inserted}|`, { columns: 60, slots })).toEqual([">>> see [pasted 1: 101 lines][ ]"]);
    expect(rows("a\u001b[2J\tb|", { columns: 60 })).toEqual([">>> a\\x1b[2J  b[ ]"]);
  });

  it("fits any width but the narrowest, and is quick for a text of any length", () => {
    const text = "word 日本 👨‍👩‍👧 ".repeat(50_000);
    const started = performance.now();
    for (const columns of [80, 20, 9, 6]) {
      for (const row of rows(`${text}|`, { columns, maxRows: 10 }))
        expect(columnsOf(row.replace(/\[ \]$/, " ")), `at ${columns}`).toBeLessThanOrEqual(columns);
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
