import { describe, expect, it } from "vitest";
import { columnsOf } from "../../../../src/ui/chat-screen/input/graphemes.js";
import { statusLine } from "../../../../src/ui/chat-screen/status/status-line.js";

const status = {
  model: "模型 model",
  contextUsed: 512,
  contextSize: 1024,
  overflow: "trim" as const,
  tokensPerSecond: 12.34,
  firstTokenMs: 1500,
  memoryBytes: 2e9,
};

describe("statusLine", () => {
  it("says what the context holds, how fast it goes, and what happens when it is full", () => {
    const line = statusLine(status, 200);
    expect(line).toContain("[####----] 512/1024");
    expect(line).toContain("12.3 tok/s");
    expect(line).toContain("first 1.5 s");
    expect(line).toContain("when full: old turns go");
  });

  it("puts what will happen beside the gauge when the context is nearly full", () => {
    expect(statusLine({ ...status, contextUsed: 900 }, 200)).toContain("900/1024, then old turns go");
  });

  it("leaves out figures that are not there yet", () => {
    const early = { ...status, contextUsed: undefined, tokensPerSecond: undefined, firstTokenMs: undefined };
    expect(statusLine({ ...early, memoryBytes: undefined }, 200)).toBe(
      "模型 model  [--------] 0/1024  when full: old turns go",
    );
  });

  it("fits any width", () => {
    for (let columns = 1; columns < 100; columns++)
      expect(columnsOf(statusLine(status, columns)), `at ${columns}`).toBeLessThanOrEqual(columns);
  });

  it("shows no escape sequence of a model's name", () => {
    expect(statusLine({ ...status, model: "a\u001b[2J" }, 80)).not.toContain("\u001b");
  });
});
