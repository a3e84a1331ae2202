import { describe, expect, it } from "vitest";
import { FrameParser, type ParsedFrame } from "../../../src/engine/trace/parse-frame.js";
import { TRACE_MARKS, type TraceMark } from "../../../src/engine/trace/trace-tokens.js";
import { byteIds, bytesOf, byteTokens } from "./stored-traces.js";

/** Text in which the marks are tokens. */
function ids(text: string): number[] {
  return text.split(/(<\|\w+\|>)/).flatMap((part) => {
    const mark = (Object.keys(TRACE_MARKS) as TraceMark[]).find((name) => TRACE_MARKS[name] === part);
    return mark === undefined ? byteIds(part) : [byteTokens[mark]];
  });
}

function read(text: string, reason?: string): ParsedFrame[] {
  const parser = new FrameParser(byteTokens);
  const events = ids(text).flatMap((id) => parser.push(id, bytesOf(id)));
  return [...events, ...(reason === undefined ? [] : parser.end(reason))].flatMap((event) =>
    event.kind === "frame" ? [event.parsed] : [],
  );
}

const whole = '<|line_sep|>{"a": "1"}<|action_sep|>x = a<|frame_sep|>';
const wholeFrame = { frame: { event: "line", source: "x = a", locals: new Map([["a", "1"]]) }, problems: [] };

describe("FrameParser", () => {
  it("reads the four kinds", () => {
    expect(
      read(
        '<|call_sep|>{}<|action_sep|>def f():\n<|frame_sep|><|return_sep|><|action_sep|>return 1<|arg_sep|>"1"<|frame_sep|>' +
          "<|exception_sep|><|action_sep|>x<|arg_sep|>\"KeyError('\\u00e4')\"<|frame_sep|>",
      ),
    ).toEqual([
      { frame: { event: "call", source: "def f():\n", locals: new Map() }, problems: [] },
      { frame: { event: "return", source: "return 1", value: "1" }, problems: [] },
      { frame: { event: "exception", source: "x", value: "KeyError('ä')" }, problems: [] },
    ]);
  });

  it("keeps the order of names, also of those that look like numbers", () => {
    const [parsed] = read('<|line_sep|>{"b": "1", "2": "x", "1": "y"}<|action_sep|>s<|frame_sep|>');
    expect([...("locals" in parsed!.frame ? parsed!.frame.locals.keys() : [])]).toEqual(["b", "2", "1"]);
  });

  it("takes the strings of marks in a program for text", () => {
    const parser = new FrameParser(byteTokens);
    const text = '{"s": "\'<|frame_sep|>\'"}';
    const all = [byteTokens.line, ...byteIds(text), byteTokens.action, ...byteIds("x"), byteTokens.frame];
    expect(all.flatMap((id) => parser.push(id, bytesOf(id)))).toEqual([
      {
        kind: "frame",
        parsed: {
          frame: { event: "line", source: "x", locals: new Map([["s", "'<|frame_sep|>'"]]) },
          problems: [],
        },
      },
    ]);
  });

  it.each([
    ["no event", "abc<|frame_sep|>", ["it has no event", "it has no source line"].slice(0, 1)],
    ["no source line", '<|line_sep|>{"a": "1"}<|frame_sep|>', ["it has no source line"]],
    ["locals that are no JSON", "<|line_sep|>{'a': 1}<|action_sep|>x<|frame_sep|>", [/column 2/]],
    [
      "locals twice under one name",
      '<|line_sep|>{"a": "1", "a": "2"}<|action_sep|>x<|frame_sep|>',
      [/twice/],
    ],
    [
      "a local that is no string",
      '<|line_sep|>{"a": 1, "b": "2"}<|action_sep|>x<|frame_sep|>',
      [/the value of a/],
    ],
    [
      "locals that are a list",
      "<|line_sep|>[]<|action_sep|>x<|frame_sep|>",
      ["the locals are no JSON object"],
    ],
    ["no value", "<|return_sep|><|action_sep|>x<|frame_sep|>", ["it has no value"]],
    ["a value that is no JSON", "<|return_sep|><|action_sep|>x<|arg_sep|>None<|frame_sep|>", [/column 1/]],
    [
      "a value of a line",
      '<|line_sep|>{}<|action_sep|>x<|arg_sep|>"1"<|frame_sep|>',
      ["a value in a frame of the kind line"],
    ],
    [
      "locals of a return",
      '<|return_sep|>{"a": "1"}<|action_sep|>x<|arg_sep|>"1"<|frame_sep|>',
      ["locals in a frame of the kind return"],
    ],
    ["two actions", "<|line_sep|>{}<|action_sep|>x<|action_sep|>y<|frame_sep|>", ["a misplaced action mark"]],
    [
      "a program inside",
      "<|line_sep|>{}<|trace_context_start|><|action_sep|>x<|frame_sep|>",
      [/beginning of a program/],
    ],
    ["text before the event", "zz<|line_sep|>{}<|action_sep|>x<|frame_sep|>", ["text before its event"]],
  ])("says what is wrong and reads on: %s", (_, text, problems) => {
    const frames = read(text + whole);
    expect(frames).toHaveLength(2);
    for (const problem of problems) {
      expect(frames[0]!.problems).toContainEqual(
        typeof problem === "string" ? problem : (expect.stringMatching(problem) as string),
      );
    }
    expect(frames[1]).toEqual(wholeFrame);
  });

  it("ends a frame where the next one begins", () => {
    expect(read(`<|line_sep|>{"a": ".."}${whole}`)).toEqual([
      {
        frame: { event: "line", source: "", locals: new Map([["a", ".."]]) },
        problems: ["the next frame begins inside it", "it has no source line"],
      },
      wholeFrame,
    ]);
  });

  it("gives out what was cut off, and why", () => {
    expect(read('<|return_sep|><|action_sep|>return x<|arg_sep|>"12', "2048 tokens")[0]).toEqual({
      frame: { event: "return", source: "return x", value: '"12' },
      problems: ["2048 tokens", expect.stringMatching(/column/) as string],
    });
    expect(read(`${whole}`, "nothing left")).toEqual([wholeFrame]);
    expect(read("<|line_sep|>{}<|end_of_text|>")[0]!.problems).toContain("the trace ended inside it");
  });

  it("never throws, whatever order the tokens come in", () => {
    const marks = Object.values(byteTokens);
    let seed = 1;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let round = 0; round < 300; round++) {
      const parser = new FrameParser(byteTokens);
      let marksInside = 0;
      for (let i = 0; i < 40; i++) {
        const id = random(3) === 0 ? marks[random(marks.length)]! : random(256);
        for (const event of parser.push(id, bytesOf(id))) {
          if (event.kind === "frame") marksInside++;
        }
      }
      for (const event of parser.end("cut")) expect(event.kind).toBe("frame");
      expect(marksInside).toBeLessThanOrEqual(40);
    }
  });
});
