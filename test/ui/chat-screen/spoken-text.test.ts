import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { spokenText } from "../../../src/ui/chat-screen/spoken-text.js";
import { repositoryFile } from "../../helpers/models.js";

describe("spokenText", () => {
  it("reads words, not marks, addresses and code", () => {
    const markdown = [
      "# Title",
      "Some **bold** and `code`, see [the docs](https://example.org/a).",
      "",
      "```python",
      "print('not read')",
      "```",
      "- one",
      "- [x] two <!-- no -->",
      "",
      "> quoted",
      "> lines",
      "",
      "---",
      "https://example.org",
    ].join("\n");
    expect(spokenText(markdown)).toBe(
      "Title.\nSome bold and code, see the docs.\none.\ntwo.\nquoted lines.\na link.",
    );
  });

  it("reads a table row by row", () => {
    expect(spokenText("| a | b |\n|---|---|\n| 1 | **2** |")).toBe("a, b.\n1, 2.");
  });

  it("is empty where there is nothing to say", () => {
    expect(spokenText("```\ncode\n```\n\n---\n\n...")).toBe("");
  });

  it("leaves no mark of a long answer", () => {
    const spoken = spokenText(readFileSync(repositoryFile("test/helpers/answer.md"), "utf8"));
    expect(spoken).toContain("merge sort, O(n log n), yes, needs memory 日本語 🎉");
    expect(spoken).toContain("Divide the list.\nSort both halves:\nthe left one,");
    expect(spoken).not.toMatch(/[*_`#|]|https?:|def merge_sort/);
  });
});
