import { describe, expect, it } from "vitest";
import { chooseEvent } from "../../../src/engine/client/choose-event.js";
import { call, FIRST_FRAMES, line, returns, SOURCE } from "../trace/marked-frames.js";
import { traceTokensOf, tokenizePlainly } from "../../../src/engine/client/trace-engine.js";
import { type TraceOptions, TraceSession } from "../../../src/engine/client/trace-session.js";
import { assembleTrace, renderFrame } from "../../../src/engine/trace/render-frame.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";
import { asFrame, byteIds, byteTokens, storedTraces } from "../trace/stored-traces.js";
import { markedIds, ScriptedTraceEngine } from "./scripted-trace-engine.js";

const FRAMES = [
  ...FIRST_FRAMES,
  call('{"x": "2"}', "def g(x):"),
  line('{"x": ".."}', "    y = x + 1"),
  line('{"x": "..", "y": "3"}', "    return y"),
  returns("    return y", "3"),
  line('{"a": "..", "b": "3"}', "    return b"),
  returns("    return b", "3"),
];

const OPTIONS: TraceOptions = {
  sampling: { temperature: 0, topP: 1, seed: 1 },
  contextSize: 100_000,
  maxFrameTokens: 2048,
  maxFrames: 1000,
};

const open = (engine: ScriptedTraceEngine, options: Partial<TraceOptions> = {}) =>
  TraceSession.open(engine, byteTokens, prepareProgram(SOURCE), { ...OPTIONS, ...options });

describe("TraceSession", () => {
  it("steps through what Python did, for 200 programs, and ends where Python ended", async () => {
    for (const { name, source, frames } of storedTraces()) {
      const scripted = await Promise.all(
        frames.map((frame) =>
          assembleTrace(renderFrame(asFrame(frame)), byteTokens, (text) => Promise.resolve(byteIds(text))),
        ),
      );
      const engine = new ScriptedTraceEngine((tokens) => {
        const before = tokens.filter((id) => id === byteTokens.frame).length - 1;
        return scripted[before] ?? [byteTokens.end];
      });
      const session = await TraceSession.open(engine, byteTokens, prepareProgram(source), OPTIONS);
      while (session.status.kind === "running") await session.stepInto();
      expect(session.status, name).toEqual({ kind: "ended" });
      expect(
        session.steps.map(({ frame }) => frame),
        name,
      ).toEqual(frames.map(asFrame));
      expect(session.steps.every(({ problems }) => problems.length === 0)).toBe(true);
    }
  });

  it("resolves, finds lines, and multiplies probabilities", async () => {
    const session = await open(ScriptedTraceEngine.playing(FRAMES));
    for (let i = 0; i < 5; i++) await session.stepInto();
    const step = session.current!;
    expect(step.line).toBe(3);
    expect(step.scopeLines).toEqual([6, 3]);
    expect(step.state.scopes.map(({ name }) => name)).toEqual(["main", "g"]);
    expect(Object.fromEntries(step.state.scopes[1]!.locals)).toEqual({ x: "1", y: "2" });
    expect([...step.state.scopes[1]!.changed]).toEqual(["y"]);
    expect(step.confidence.event).toBe(0.9);
    // every scripted token has 0.5: the locals with the mark behind them, the line without its separator
    expect(step.confidence.values).toBeCloseTo(0.5 ** ('{"x": "..", "y": "2"}'.length + 1), 10);
    expect(step.confidence.source).toBeCloseTo(0.5 ** "    return y\n".length, 10);
  });

  it("steps over a call by forcing its return, and into one by forcing a line", async () => {
    const engine = new ScriptedTraceEngine((tokens) => {
      const text = Buffer.from(tokens.filter((id) => id < 256)).toString("utf8");
      const frames = tokens.filter((id) => id === byteTokens.frame).length - 1;
      if (frames < 3) return markedIds(FRAMES[frames]!);
      return text.endsWith('"2"') ? markedIds(FRAMES[6]!) : markedIds(FRAMES[5]!);
    });
    const session = await open(engine);
    await session.stepOver();
    await session.stepOver();
    const step = await session.stepOver();
    expect(session.steps.map(({ frame }) => frame.event)).toEqual(["call", "line", "call", "return", "line"]);
    expect(session.steps.map(({ forced }) => forced)).toEqual([true, false, false, true, false]);
    expect(step!.line).toBe(7);
    expect(engine.generated[3]!.tokens.at(-1)).toBe(byteTokens.return);

    const into = await open(ScriptedTraceEngine.playing(FRAMES));
    for (let i = 0; i < 4; i++) await into.stepInto();
    expect(into.steps[3]!.forced).toBe(true);
    expect(into.steps[3]!.frame.event).toBe("line");
  });

  it("steps out of a scope, over calls inside it", async () => {
    const session = await open(ScriptedTraceEngine.playing(FRAMES));
    for (let i = 0; i < 4; i++) await session.stepInto();
    const step = await session.stepOut();
    expect(step!.line).toBe(7);
    expect(session.steps).toHaveLength(7);
  });

  it("goes back, edits and goes on from there", async () => {
    const engine = ScriptedTraceEngine.playing(FRAMES);
    const session = await open(engine);
    for (let i = 0; i < 5; i++) await session.stepInto();
    expect(session.back()).toBe(true);
    expect(session.steps).toHaveLength(4);
    await session.edit("x", "41");
    expect(Object.fromEntries(session.state.scopes[1]!.locals)).toEqual({ x: "41" });
    await session.stepInto();
    const asked = Buffer.from(engine.generated.at(-1)!.tokens.filter((id) => id < 256)).toString("utf8");
    expect(asked.endsWith('{"x": "41"}    y = x + 1\n')).toBe(true);
    expect(session.current!.state.scopes[1]!.locals.get("x")).toBe("41");
    while (session.back());
    expect(session.steps).toHaveLength(1);
    session.restart();
    expect(session.steps).toHaveLength(0);
    await session.stepInto();
    expect(session.current!.frame.event).toBe("call");
  });

  it("edits the value of a return", async () => {
    const session = await open(ScriptedTraceEngine.playing(FRAMES));
    for (let i = 0; i < 6; i++) await session.stepInto();
    await session.edit("", "'other'");
    expect(session.state.returned).toBe("'other'");
    expect(session.current!.edited).toBe(true);
  });

  it("says which limit ended a trace", async () => {
    const frames = await open(ScriptedTraceEngine.playing(FRAMES), { maxFrames: 2 });
    for (let i = 0; i < 4; i++) await frames.stepInto();
    expect(frames.steps).toHaveLength(2);
    expect(frames.status).toEqual({ kind: "cut", cap: "frames" });

    const tokens = await open(ScriptedTraceEngine.playing(FRAMES), { maxFrameTokens: 8 });
    const cut = await tokens.stepInto();
    expect(cut!.cap).toBe("frame tokens");
    expect(cut!.problems).toContain("cut off after 8 tokens, the limit of a frame");
    expect(tokens.status).toEqual({ kind: "cut", cap: "frame tokens" });

    const context = await open(ScriptedTraceEngine.playing(FRAMES), {
      contextSize: byteIds(SOURCE).length + 60,
    });
    while (context.status.kind === "running") await context.stepInto();
    expect(context.status).toEqual({ kind: "cut", cap: "context" });
    expect(context.usedTokens).toBeLessThanOrEqual(context.options.contextSize);

    await expect(open(ScriptedTraceEngine.playing(FRAMES), { contextSize: 64 })).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
    });
  });

  it("ends with the model's own end token, and keeps what it had when interrupted", async () => {
    const session = await open(ScriptedTraceEngine.playing(FRAMES.slice(0, 2)));
    for (let i = 0; i < 3; i++) await session.stepInto();
    expect(session.status).toEqual({ kind: "ended" });
    expect(session.steps).toHaveLength(2);

    const controller = new AbortController();
    const stopped = await open(ScriptedTraceEngine.playing(FRAMES));
    await stopped.stepInto();
    controller.abort();
    await expect(stopped.stepInto(controller.signal)).rejects.toThrow();
    expect(stopped.steps).toHaveLength(1);
    expect(stopped.status).toEqual({ kind: "running" });
  });
});

describe("chooseEvent", () => {
  const at = (temperature: number, topP: number, seed: number) =>
    chooseEvent([0.1, 0.5, 0, 0.4, 0], { temperature, topP, seed });
  it("takes the likeliest at temperature 0, and by the dice otherwise", () => {
    expect(at(0, 1, 3)).toBe(1);
    const counts = [0, 0, 0, 0, 0];
    for (let seed = 0; seed < 5000; seed++) counts[at(1, 1, seed)]!++;
    expect(counts[2]! + counts[4]!).toBe(0);
    expect(counts[1]! / 5000).toBeCloseTo(0.5, 1);
    expect(counts[0]! / 5000).toBeCloseTo(0.1, 1);
    for (let seed = 0; seed < 200; seed++) expect(at(1, 0.9, seed)).not.toBe(0);
    expect(chooseEvent([0, 0, 0], { temperature: 1, topP: 1, seed: 0 })).toBe(0);
  });
});

describe("trace tokens", () => {
  it("are found by their strings, and a model without them is refused", async () => {
    const engine = ScriptedTraceEngine.playing([]);
    expect(await traceTokensOf(engine, "m")).toEqual(byteTokens);
    engine.tokenize = (text) => Promise.resolve(byteIds(text));
    await expect(traceTokensOf(engine, "glm.gguf")).rejects.toMatchObject({
      code: "NO_TRACE_TOKENS",
      message: expect.stringContaining("<|line_sep|>") as string,
    });
  });

  it("never come out of a program's text, even where a vocabulary finds them there", async () => {
    const engine = ScriptedTraceEngine.playing([]);
    engine.tokenize = (text) => Promise.resolve(markedIds(text));
    const text = 's = "<|frame_sep|><|line_sep|>"';
    expect(await tokenizePlainly(engine, byteTokens, text)).toEqual(byteIds(text));
  });
});
