// The debugger with a scripted model in the place of an engine: node scripted-trace.mjs TRACE.json [colour]
// TRACE.json: {"source", "frames": [text of a frame, marks as their strings]}; a frame with "hang" never comes.
import { readFileSync } from "node:fs";
import { TraceSession } from "../../dist/engine/client/trace-session.js";
import { prepareProgram } from "../../dist/engine/trace/trace-program.js";
import { TRACE_MARKS } from "../../dist/engine/trace/trace-tokens.js";
import { loadScreen } from "../../dist/ui/load-screen.js";

const { source, frames } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const names = Object.keys(TRACE_MARKS);
const tokens = Object.fromEntries(names.map((name, i) => [name, 1000 + i]));
const ids = (text) =>
  text.split(/(<\|\w+\|>)/).flatMap((part) => {
    const mark = names.find((name) => TRACE_MARKS[name] === part);
    return mark === undefined ? [...Buffer.from(part)] : [tokens[mark]];
  });
const before = (given) => given.filter((id) => id === tokens.frame).length - 1;
const next = (given) => (frames[before(given)] === undefined ? [tokens.end] : ids(frames[before(given)]));

const engine = {
  ended: new Promise(() => undefined),
  tokenize: async (text) => [...Buffer.from(text)],
  pieces: async (list) => list.map((id) => (id < 256 ? Uint8Array.of(id) : new Uint8Array())),
  weigh: async ({ tokens: given, candidates }) => ({
    probabilities: candidates.map((id) => (id === next(given)[0] ? 0.97 : 0.01)),
    reusedTokens: 0,
  }),
  async *generate({ tokens: given, stopTokens, maxTokens }, signal) {
    const result = { promptTokens: 0, reusedTokens: 0, firstTokenMs: 0, promptMs: 0, generateMs: 0 };
    const start = given.lastIndexOf(tokens.frame) + 1;
    let generatedTokens = 0;
    if (frames[before(given.slice(0, start))]?.includes("hang")) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return { ...result, stopReason: "interrupted", generatedTokens };
    }
    for (const id of next(given.slice(0, start)).slice(given.length - start)) {
      if (stopTokens.includes(id)) return { ...result, stopReason: "stop", stopToken: id, generatedTokens };
      if (generatedTokens === maxTokens) return { ...result, stopReason: "length", generatedTokens };
      generatedTokens++;
      yield { kind: "tokens", ids: [id], bytes: Uint8Array.of(id), probabilities: [0.99] };
    }
    return { ...result, stopReason: "stop", stopToken: tokens.frame, generatedTokens };
  },
};

const session = await TraceSession.open(engine, tokens, prepareProgram(source), {
  sampling: { temperature: 0, topP: 1, seed: 0 },
  contextSize: 50_000,
  maxFrameTokens: 2048,
  maxFrames: 1000,
});
const { openTraceScreen } = await loadScreen(() => import("../../dist/ui/trace-screen/open-trace-screen.js"));
await openTraceScreen({
  session,
  engine,
  startEngine: async () => {
    throw new Error("a scripted engine does not die");
  },
  model: "scripted",
  file: "program.py",
  colourLevel: process.argv[3] === "colour" ? 2 : 0,
  signal: new AbortController().signal,
});
process.stdout.write("left the debugger\n");
process.exit(0);
