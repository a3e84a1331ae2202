import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Block } from "../../../../src/ui/chat-screen/transcript/block.js";
import { BlockStream } from "../../../../src/ui/chat-screen/transcript/block-stream.js";
import { repositoryFile } from "../../../helpers/models.js";
import { seededRandom } from "../../../helpers/seeded-random.js";

function whole(text: string): Block[] {
  const stream = new BlockStream();
  return [...stream.push(text), ...stream.end()];
}

const sources = (blocks: readonly Block[]) =>
  blocks.map((block) => (block.kind === "markdown" ? block.source : `${block.language}:${block.code}`));

describe("BlockStream", () => {
  it("ends blocks at blank lines, headings, fences and between items", () => {
    const text = "# Head\nText\nmore\n\nNext\n- one\n- two\n  still two\n```js\na\n\nb\n```\nend";
    expect(sources(whole(text))).toEqual([
      "# Head",
      "Text\nmore",
      "Next",
      "- one",
      "- two\n  still two",
      "js:a\n\nb",
      "end",
    ]);
  });

  it("does not depend on where the text is cut", () => {
    const text = readFileSync(repositoryFile("test/helpers/answer.md"), "utf8");
    const expected = whole(text);
    expect(expected.length).toBeGreaterThan(10);
    const random = seededRandom(3);
    for (let round = 0; round < 40; round++) {
      const stream = new BlockStream();
      const blocks: Block[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + random.integer(round);
        blocks.push(...stream.push(text.slice(at, at + length)));
        at += length;
      }
      expect([...blocks, ...stream.end()], `round ${round}`).toEqual(expected);
    }
  });

  it("shows what is still being written, but no half of a closing fence", () => {
    const stream = new BlockStream();
    expect(stream.open()).toBeUndefined();
    stream.push("Some te");
    expect(stream.open()).toMatchObject({ kind: "markdown", source: "Some te" });
    stream.push("xt\n```py\nx = 1\n``");
    expect(stream.open()).toMatchObject({ kind: "code", language: "py", code: "x = 1" });
    stream.push("`\n");
    expect(stream.open()).toBeUndefined();
  });

  it("keeps a longer fence open over a shorter one, and ends an unclosed one at the end", () => {
    expect(sources(whole("````md\n```\ncode\n```\n````\n"))).toEqual(["md:```\ncode\n```"]);
    expect(sources(whole("~~~\ncode\n```"))).toEqual([":code\n```"]);
  });

  it("keeps a paragraph behind a blank line with its item", () => {
    const blocks = whole("1. one\n\n   more of one\n2. two\n");
    expect(blocks.map(({ indent }) => indent)).toEqual([0, 3, 0]);
  });

  it("keeps a table in one block", () => {
    expect(sources(whole("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nx"))).toEqual([
      "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
      "x",
    ]);
  });

  it.each([1, 3])("breaks neither words nor short lines of code where %d rows are live", (most) => {
    const rowsOf = ({ gap, ...block }: Block) =>
      (gap ? 1 : 0) +
      (block.kind === "markdown"
        ? Math.ceil(block.source.length / 20)
        : (block.language === "" ? 0 : 1) + Math.ceil(block.code.length / 20));
    const text = `${"one two three four five six seven eight nine ten eleven twelve thirteen\n\n".repeat(3)}\`\`\`js\nlet a = 1;\n\`\`\``;
    const stream = new BlockStream();
    const blocks: Block[] = [];
    for (const char of text) {
      blocks.push(...stream.push(char));
      for (let more = stream.shorten(rowsOf, most); more.length > 0; more = stream.shorten(rowsOf, most))
        blocks.push(...more);
    }
    const words = sources([...blocks, ...stream.end()]).flatMap((source) => source.split(/\s+/));
    expect(words.join(" ")).toBe(
      `${"one two three four five six seven eight nine ten eleven twelve thirteen ".repeat(3)}js:let a = 1;`,
    );
  });

  it("shortens what has become too tall, and loses nothing", () => {
    const rowsOf = (block: Block) =>
      Math.ceil((block.kind === "markdown" ? block.source : block.code).length / 20) +
      (block.kind === "code" ? block.code.split("\n").length : 0);
    for (const text of [
      "word ".repeat(300),
      `\`\`\`js\n${"let a = 1;\n".repeat(100)}\`\`\``,
      "x".repeat(2000),
    ]) {
      const stream = new BlockStream();
      const blocks: Block[] = [];
      for (const char of text) {
        blocks.push(...stream.push(char));
        for (let more = stream.shorten(rowsOf, 10); more.length > 0; more = stream.shorten(rowsOf, 10))
          blocks.push(...more);
        const open = stream.open();
        if (open !== undefined) expect(rowsOf(open)).toBeLessThanOrEqual(10);
      }
      blocks.push(...stream.end());
      expect(blocks.length).toBeGreaterThan(5);
      const joined = blocks.map((block) => (block.kind === "markdown" ? block.source : block.code)).join("");
      expect(joined.replaceAll(/\s/g, "")).toBe(text.replaceAll(/^```js\n|```$/g, "").replaceAll(/\s/g, ""));
    }
  });
});
