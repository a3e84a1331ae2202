import { readFileSync } from "node:fs";
import { Chalk } from "chalk";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { safeText } from "../../../../src/ui/safe-text.js";
import { loadHighlighter } from "../../../../src/ui/chat-screen/transcript/highlight-code.js";
import { itemRows } from "../../../../src/ui/chat-screen/transcript/item-rows.js";
import { lastRows } from "../../../../src/ui/chat-screen/transcript/last-rows.js";
import { markdownRows } from "../../../../src/ui/chat-screen/transcript/markdown-rows.js";
import { pairRows } from "../../../../src/ui/chat-screen/transcript/pair-rows.js";
import { createPalette } from "../../../../src/ui/chat-screen/transcript/palette.js";
import { wrapSpans } from "../../../../src/ui/chat-screen/transcript/wrap-spans.js";
import { savedItems } from "../../../../src/ui/chat-screen/saved-items.js";
import { repositoryFile } from "../../../helpers/models.js";

const plain = createPalette(new Chalk({ level: 0 }));
const coloured = createPalette(new Chalk({ level: 2 }));
const ANSWER = safeText(readFileSync(repositoryFile("test/helpers/answer.md"), "utf8"));

/** Widths down to one column. A wide character cannot be cut: it may stand out by one column. */
const WIDTHS = [200, 80, 40, 20, 9, 4, 2, 1];

describe("wrapSpans", () => {
  it("breaks between words and drops the space there", () => {
    expect(wrapSpans([{ text: "one two three" }], { columns: 7 })).toEqual(["one two", "three"]);
    expect(wrapSpans([{ text: "a\n\nb" }], { columns: 7 })).toEqual(["a", "", "b"]);
  });

  it("does not tear apart what touches across a change of style", () => {
    const spans = [{ text: "one " }, { text: "two", style: coloured.strong }, { text: ", three" }];
    expect(wrapSpans(spans, { columns: 7 }).map((row) => row.replaceAll(/\u001b\[\d+m/g, ""))).toEqual([
      "one",
      "two,",
      "three",
    ]);
  });

  it("gives every row its own escape codes", () => {
    const rows = wrapSpans([{ text: "red words here", style: coloured.error }], { columns: 6 });
    expect(rows).toEqual([
      "\u001b[31mred\u001b[39m",
      "\u001b[31mwords\u001b[39m",
      "\u001b[31mhere\u001b[39m",
    ]);
  });

  it("cuts long words between graphemes, wide ones too", () => {
    expect(wrapSpans([{ text: "日本語テキスト" }], { columns: 5 })).toEqual(["日本", "語テ", "キス", "ト"]);
    expect(wrapSpans([{ text: "👨‍👩‍👧👨‍👩‍👧" }], { columns: 1 })).toEqual(["👨‍👩‍👧", "👨‍👩‍👧"]);
  });

  it("indents, unless there is no room", () => {
    const indent: [string, string] = ["> ", "  "];
    expect(wrapSpans([{ text: "one two" }], { columns: 6, indent })).toEqual(["> one", "  two"]);
    expect(wrapSpans([{ text: "one two" }], { columns: 4, indent })).toEqual(["one", "two"]);
  });
});

describe("rows of an answer", () => {
  it("are never wider than the terminal, down to one column", async () => {
    await loadHighlighter();
    for (const columns of WIDTHS) {
      for (const palette of [plain, coloured]) {
        for (const row of markdownRows(ANSWER, palette, columns))
          expect(stringWidth(row), `at ${columns}: ${row}`).toBeLessThanOrEqual(Math.max(columns, 2));
      }
    }
  });

  it("lose no letter at any width", () => {
    const letters = (text: string) => (text.match(/\p{L}/gu) ?? []).join("");
    const wide = letters(markdownRows(ANSWER, plain, 200).join(""));
    expect(wide).toContain("mergesort");
    // a table that is too narrow is written as a list, with its header at each cell
    const withoutTable = ANSWER.replace(/\n\|[\s\S]*?\n\n/, "\n\n");
    const expected = letters(markdownRows(withoutTable, plain, 200).join(""));
    for (const columns of WIDTHS)
      expect(letters(markdownRows(withoutTable, plain, columns).join(""))).toBe(expected);
  });

  it("show a table in columns, aligned, and where that is too narrow cell by cell", () => {
    const table = "| name | n |\n|:--|--:|\n| a | 1 |\n| longer | 22 |";
    expect(markdownRows(table, plain, 40)).toEqual(["name     n", "──────  ──", "a        1", "longer  22"]);
    expect(markdownRows(table, plain, 6)).toEqual(["name:", "a", "n: 1", "name:", "longer", "n: 22"]);
  });

  it("keep the columns of a table where cells are wide characters or wrap", () => {
    const rows = markdownRows("| a | b |\n|---|---|\n| 日本 | one two three |", plain, 14);
    expect(rows).toEqual(["a     b", "────  ────────", "日本  one two", "      three"]);
  });

  it("show no escape sequence of a model", () => {
    const rows = markdownRows(safeText("a \u001b[2J `\u001b]0;t\u0007` b"), plain, 80).join("\n");
    expect(rows).not.toContain("\u001b");
  });
});

describe("pairs", () => {
  const pairs = [
    ["/a", "short"],
    ["/longer NAME", "a meaning that takes more than one row"],
  ] as const;

  it("stand in two columns; a long meaning stays in its own", () => {
    expect(pairRows(pairs, 40)).toEqual([
      "/a            short",
      "/longer NAME  a meaning that takes more",
      "              than one row",
    ]);
  });

  it("stand below each other on a narrow terminal", () => {
    expect(pairRows(pairs, 12)).toEqual([
      "/a",
      "short",
      "/longer NAME",
      "a meaning",
      "that takes",
      "more than",
      "one row",
    ]);
    for (const row of pairRows(pairs, 1)) expect(stringWidth(row)).toBeLessThanOrEqual(1);
  });
});

describe("the transcript", () => {
  it("gives its last rows, as many as there is room for", () => {
    const items = Array.from({ length: 100 }, (_, i) => ({ kind: "user", text: `message ${i}` }) as const);
    expect(lastRows(items, plain, { columns: 40, rows: 3 })).toEqual(["> message 98", "", "> message 99"]);
    expect(lastRows([], plain, { columns: 40, rows: 3 })).toEqual([]);
  });

  it("shows the end of a saved chat, filtered", () => {
    const turns = Array.from({ length: 30 }, (_, i) => ({ role: "user", text: `q${i}\u001b[2J` }) as const);
    const rows = savedItems(turns).flatMap((item) => itemRows(item, plain, 60));
    expect(rows[0]).toBe("(10 earlier turns are not shown)");
    expect(rows.at(-1)).toMatch(/^> q29/);
    expect(rows.join("")).not.toContain("\u001b");
  });

  it("shows the beginning of a very long message, and says how long it is", () => {
    const text = "line\n".repeat(100_000);
    const rows = itemRows({ kind: "user", text }, plain, 80);
    expect(rows.length).toBeLessThan(50);
    expect(rows.at(-1)).toContain("500000 characters");
  });
});
