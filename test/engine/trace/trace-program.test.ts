import { describe, expect, it } from "vitest";
import { scanDefinitions } from "../../../src/engine/trace/scan-definitions.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";

const TWO = "def f(x):\n    return x\n\ndef g():\n    return f(1)\n";

function markedLine(context: string): number {
  return context.split("\n").findIndex((line) => line.endsWith("  # << START_OF_TRACE")) + 1;
}

describe("prepareProgram", () => {
  it("adds a function for a call, under a free name, and does not give it to the main guard", () => {
    const program = prepareProgram(TWO, "f(1, 2)");
    expect(program.context).toBe(`${TWO}\n\ndef main():  # << START_OF_TRACE\n    return f(1, 2)\n`);
    expect(program.source).toBe(`${TWO}\n\ndef main():\n    return f(1, 2)\n`);
    expect(program.entry).toEqual({ kind: "function", name: "main", line: 8 });
    expect(program.hasOwnEntry).toBe(true);
    expect(prepareProgram("def main(): pass", "main()").entry).toMatchObject({ name: "entry" });
  });

  it.each(['f("a#b;c")', "f('it\\'s; so')", "f('\"#(')"])("takes the call %s", (call) => {
    expect(prepareProgram(TWO, call).source).toContain(`    return ${call}\n`);
  });

  it("marks a named function, main, or the first line", () => {
    expect(markedLine(prepareProgram(TWO, "g").context)).toBe(4);
    expect(markedLine(prepareProgram(`${TWO}\ndef main():\n    pass`).context)).toBe(7);
    const script = prepareProgram('# hello\n\n"""doc"""\nx = 1');
    expect(markedLine(script.context)).toBe(3);
    expect(script.entry).toEqual({ kind: "module" });
  });

  it("keeps a mark that is there, and gives Python the program without it", () => {
    const program = prepareProgram("def f(c):  # << START_OF_TRACE\n    return c\n");
    expect(program.context).toBe("def f(c):  # << START_OF_TRACE\n    return c\n");
    expect(program.source).toBe("def f(c):\n    return c\n");
    expect(program.entry).toEqual({ kind: "function", name: "f", line: 1 });
  });

  it.each([
    ["", undefined, "TRACE_EMPTY"],
    ["# only\n", undefined, "TRACE_EMPTY"],
    [TWO, "h", "TRACE_ENTRY"],
    [TWO, "f(1); g()", "TRACE_ENTRY"],
    [TWO, "f('a'); g('b')", "TRACE_ENTRY"],
    [TWO, "f(\n1)", "TRACE_ENTRY"],
    [TWO, "1 + 1", "TRACE_ENTRY"],
    ["a = 1 # << START_OF_TRACE\nb = 1 # << START_OF_TRACE\n", undefined, "TRACE_MARKS"],
    ["a = 1\nb = 1 # << START_OF_TRACE\n", undefined, "TRACE_MARKS"],
  ])("refuses %j with %j", (source, entry, code) => {
    expect(() => prepareProgram(source, entry)).toThrowError(expect.objectContaining({ code }) as Error);
  });

  it("reads line ends of other systems and a byte order mark", () => {
    expect(prepareProgram("\ufeffdef main():\r\n    pass\r\n").source).toBe("def main():\n    pass\n");
    expect(prepareProgram("def main():\r    pass\r").source).toBe("def main():\n    pass\n");
  });
});

describe("scanDefinitions", () => {
  it("does not take text in strings, comments and brackets for code", () => {
    const source = [
      '"""',
      "def no(): pass",
      '"""',
      "# def no2():",
      "x = (",
      "def no3",
      ")",
      "s = 'it\\'s def' + \"#\" \\",
      "  + 'def no4(): pass'",
      "class A:",
      "    async def yes(self):",
      "        return 1",
      "",
      "def last(a,",
      "         b): return '(' + a",
      "y = 2",
    ].join("\n");
    expect(scanDefinitions(source).definitions).toEqual([
      { kind: "class", name: "A", line: 10, lastLine: 12, indent: 0 },
      { kind: "def", name: "yes", line: 11, lastLine: 12, indent: 4 },
      { kind: "def", name: "last", line: 14, lastLine: 15, indent: 0 },
    ]);
  });

  it("survives what is no Python, in time that grows with its length", () => {
    for (const text of [
      "((((",
      '"""',
      "'",
      "def",
      "\\",
      ")".repeat(1000),
      "'\\".repeat(50_000),
      '"""\\'.repeat(50_000),
    ]) {
      expect(() => scanDefinitions(text)).not.toThrow();
    }
  });
});
