import { describe, expect, it } from "vitest";
import { startsInsideThinking, ThinkingSplitter } from "../../../src/engine/chat/thinking-splitter.js";
import type { ThinkingFormat } from "../../../src/engine/families/chat-behaviour.js";
import { seededRandom } from "../../helpers/seeded-random.js";

const FORMAT: ThinkingFormat = { open: "<think>", close: "</think>", thinkingSwitch: "t", keepSwitch: "k" };

interface Parts {
  thinking: string;
  answer: string;
}

function split(
  pieces: readonly string[],
  startsInside: boolean,
  format: ThinkingFormat | "none" = FORMAT,
): Parts {
  const splitter = new ThinkingSplitter(format === "none" ? undefined : format, { startsInside });
  const given = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()];
  const kinds = given.map(({ kind }) => kind);
  expect(kinds.indexOf("answer") < 0 || !kinds.slice(kinds.indexOf("answer")).includes("thinking")).toBe(
    true,
  );
  expect(given.every(({ text }) => text !== "")).toBe(true);
  const textOf = (kind: string): string =>
    given
      .filter((piece) => piece.kind === kind)
      .map(({ text }) => text)
      .join("");
  return { thinking: textOf("thinking"), answer: textOf("answer") };
}

describe("ThinkingSplitter", () => {
  it.each<[what: string, inside: boolean, text: string, thinking: string, answer: string]>([
    ["reasoning and answer", true, "add them\n</think>\n\n4", "add them", "4"],
    ["no line breaks", true, "a</think>b", "a", "b"],
    ["line breaks of Windows", true, "\r\na\r\n</think>\r\nb\r\n", "a", "b\r\n"],
    ["inner line breaks", true, "a\n\nb\n</think>c\n\nd", "a\n\nb", "c\n\nd"],
    ["nothing thought", true, "\n\n</think>\n\nHello", "", "Hello"],
    ["no closing mark", true, "on and on\n", "on and on\n", ""],
    ["half a closing mark", true, "a </thin", "a </thin", ""],
    ["something like the mark", true, "a </thinker> b</think>c", "a </thinker> b", "c"],
    ["the mark begun twice", true, "a<</</think>b", "a<</", "b"],
    ["a second closing mark", true, "a</think>b</think>c", "a", "b</think>c"],
    ["the opening mark again", true, "<think>\na</think>b", "a", "b"],
    ["an opening mark later on", true, "a<think>b</think>c", "a<think>b", "c"],
    ["an answer alone", false, "Hello", "", "Hello"],
    ["an answer that opens", false, "<think>a</think>b", "a", "b"],
    ["an answer that opens after white space", false, " \n<think>\na</think>b", "a", "b"],
    ["an opening mark inside an answer", false, "See <think>x</think>", "", "See <think>x</think>"],
    ["half an opening mark", false, "<thi", "", "<thi"],
    ["a closing mark without an opening", false, "a</think>b", "", "a</think>b"],
    ["line breaks before an answer", false, "\n\nHi\n", "", "Hi\n"],
    ["spaces before an answer", false, "  Hi", "", "  Hi"],
    ["nothing", true, "", "", ""],
    ["line breaks alone", true, "\n\n", "", ""],
  ])("parts %s", (_, startsInside, text, thinking, answer) => {
    expect(split([text], startsInside)).toEqual({ thinking, answer });
    expect(split(text.split(""), startsInside)).toEqual({ thinking, answer });
  });

  it("has no marks for a family that does not think", () => {
    expect(split(["\n<think>a", "</think>b"], false, "none")).toEqual({
      thinking: "",
      answer: "<think>a</think>b",
    });
  });

  it("gives out text as soon as it can be no mark", () => {
    const splitter = new ThinkingSplitter(FORMAT, { startsInside: true });
    expect(splitter.push("one ")).toEqual([{ kind: "thinking", text: "one " }]);
    expect(splitter.push("two\n")).toEqual([{ kind: "thinking", text: "two" }]);
    expect(splitter.push("</")).toEqual([]);
    expect(splitter.push("x")).toEqual([{ kind: "thinking", text: "\n</x" }]);
    expect(splitter.push("</think>")).toEqual([]);
    expect(splitter.push("\n")).toEqual([]);
    expect(splitter.push("four")).toEqual([{ kind: "answer", text: "four" }]);
  });

  it("depends on the text alone and leaves out nothing but marks and line breaks around them", () => {
    const blocks = [
      "a",
      "b c",
      "\n",
      "\n\n",
      "\r\n",
      "<",
      "</",
      "<think>",
      "</think>",
      "think>",
      "<thi",
      "</thin",
      "🙂",
      " ",
    ];
    for (let seed = 0; seed < 2000; seed++) {
      const random = seededRandom(seed);
      const text = Array.from({ length: random.integer(12) }, () => random.pick(blocks)).join("");
      const inside = random.integer(2) === 0;
      const whole = split([text], inside);
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const end = at + 1 + random.integer(5);
        pieces.push(text.slice(at, end));
        at = end;
      }
      expect(split(pieces, inside), JSON.stringify(pieces)).toEqual(whole);
      const bare = (given: string): string => given.replace(/<\/?think>|[\r\n]/g, "");
      expect(bare(whole.thinking) + bare(whole.answer), JSON.stringify(text)).toBe(
        bare(inside ? text : text.replace(/^\s+(?=<think>)/, "")),
      );
    }
  });
});

describe("startsInsideThinking", () => {
  const prompt = (text: string, templateTail: number): Parameters<typeof startsInsideThinking>[0] => ({
    text,
    templateTail,
    segments: [],
  });

  it("sees the opening mark at the end of what the template wrote", () => {
    expect(startsInsideThinking(prompt("user: hi<|assistant|><think>\n", 8), FORMAT)).toBe(true);
    expect(startsInsideThinking(prompt("<think>", 0), FORMAT)).toBe(true);
    expect(startsInsideThinking(prompt("user: hi<|assistant|>", 8), FORMAT)).toBe(false);
    expect(startsInsideThinking(prompt("<think>\n</think>\n", 0), FORMAT)).toBe(false);
  });

  it("is not fooled by a user who writes it", () => {
    expect(startsInsideThinking(prompt("user: <think>", 13), FORMAT)).toBe(false);
    expect(startsInsideThinking(prompt("user: <think>\n", 13), FORMAT)).toBe(false);
  });

  it("is false for a family that does not think", () => {
    expect(startsInsideThinking(prompt("<think>", 0), undefined)).toBe(false);
  });
});
