import { describe, expect, it } from "vitest";
import { findLine } from "../../../src/engine/trace/find-line.js";
import { UNCHANGED } from "../../../src/engine/trace/frame.js";
import { FrameParser } from "../../../src/engine/trace/parse-frame.js";
import { assembleTrace, renderContext, renderFrame } from "../../../src/engine/trace/render-frame.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";
import { advance, INITIAL_STATE } from "../../../src/engine/trace/trace-state.js";
import { asFrame, byteIds, bytesOf, byteTokens, storedTraces } from "./stored-traces.js";

const traces = storedTraces();
const tokenize = (text: string) => Promise.resolve(byteIds(text));

describe("traces of 200 programs made by Python", () => {
  it("cover every kind of frame", () => {
    expect(traces).toHaveLength(200);
    const events = new Set(traces.flatMap(({ frames }) => frames.map(({ event }) => event)));
    expect([...events].sort()).toEqual(["call", "exception", "line", "return"]);
    expect(traces.filter(({ end }) => end === "raised")).toHaveLength(8);
  });

  it("are the same after rendering and reading back", async () => {
    for (const { name, frames } of traces) {
      const expected = frames.map(asFrame);
      const ids = await assembleTrace(expected.flatMap(renderFrame), byteTokens, tokenize);
      const parser = new FrameParser(byteTokens);
      const events = [...ids, byteTokens.end].flatMap((id) => parser.push(id, bytesOf(id)));
      expect(events.at(-1), name).toEqual({ kind: "end" });
      const read = events.flatMap((event) => (event.kind === "frame" ? [event.parsed] : []));
      expect(read, name).toEqual(expected.map((frame) => ({ frame, problems: [] })));
    }
  });

  it("resolve to whole scopes, at the depth and line where Python was", () => {
    for (const { name, source, frames } of traces) {
      const program = prepareProgram(source);
      let state = INITIAL_STATE;
      const before: number[] = [];
      for (const [i, recorded] of frames.entries()) {
        const frame = asFrame(recorded);
        state = advance(state, frame);
        expect(state.scopes.length - 1, `${name} frame ${i}`).toBe(recorded.depth);
        expect([...state.scopes.at(-1)!.locals.values()], `${name} frame ${i}`).not.toContain(UNCHANGED);
        if (recorded.event === "call") before.length = recorded.depth;
        // two methods of one name begin alike: which of them is called, the line alone does not say
        const alike = program.lines.filter((line) => `${line}\n` === frame.source).length;
        if (frame.event !== "call" || alike === 1) {
          const found = findLine(program, frame.source, before[recorded.depth]);
          expect(found, `${name} frame ${i}`).toBe(recorded.line);
        }
        before[recorded.depth] = recorded.line;
        expect(state.finished, `${name} frame ${i}`).toBe(i === frames.length - 1);
      }
    }
  });

  it("begin with the program and the mark of its entry", async () => {
    const { source } = traces[0]!;
    const program = prepareProgram(source);
    const ids = await assembleTrace(renderContext(program.context), byteTokens, tokenize);
    expect(ids.slice(0, 2)).toEqual([byteTokens.begin, byteTokens.context]);
    expect(ids.at(-1)).toBe(byteTokens.frame);
    const text = Buffer.from(ids.slice(2, -1)).toString("utf8");
    expect(text).toBe(source.replace("def main():", "def main():  # << START_OF_TRACE"));
  });
});
