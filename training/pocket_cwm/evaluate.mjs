// What parley predicts for the held-out programs, each frame with the true frames before it, greedily:
//   python held_out.py > held-out.jsonl
//   node evaluate.mjs MODEL TYPE < held-out.jsonl > predicted.jsonl        (after npm run build, in this folder)
// MODEL is whatever parley takes as one, TYPE the conversion's. Prints the shares that are exactly right to stderr.
import { createInterface } from "node:readline";
import { openTextModel } from "../../dist/ui/open-text-model.js";
import { traceTokensOf, tokenizePlainly } from "../../dist/engine/client/trace-engine.js";
import { assembleTrace, renderContext, renderFrame } from "../../dist/engine/trace/render-frame.js";

const [model, type] = process.argv.slice(2);
const silent = { update() {}, finish() {} };
const { facts, session } = await openTextModel({
  model,
  flags: { type, "remove-download": false, gpu: "off", offline: true, debug: false },
  progress: silent,
  signal: new AbortController().signal,
});
const tokens = await traceTokensOf(session, facts.path);
await session.createContext({
  contextSize: 2048,
  batchSize: 512,
  kvType: type === "f32" ? "f32" : "f16",
  flashAttention: type === "f32" ? "off" : "auto",
  swaFull: false,
});
const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 };
const idsOf = (parts) => assembleTrace(parts, tokens, (text) => tokenizePlainly(session, tokens, text));
const frameOf = ({ locals, ...frame }) =>
  locals ? { ...frame, locals: new Map(Object.entries(locals)) } : frame;

async function predict(before) {
  const ids = [];
  const events = session.generate({ tokens: before, maxTokens: 400, sampling, stopTokens: [tokens.frame] });
  for (;;) {
    const { done, value } = await events.next();
    if (done) return value.stopReason === "stop" ? [...ids, tokens.frame] : ids;
    if (value.kind === "tokens") ids.push(...value.ids);
  }
}

const total = { programs: 0, traces: 0, frames: 0, right: 0 };
for await (const line of createInterface({ input: process.stdin })) {
  const { context, frames } = JSON.parse(line);
  let before = await idsOf(renderContext(context));
  const predicted = [];
  let allRight = true;
  for (const frame of frames) {
    const real = await idsOf(renderFrame(frameOf(frame)));
    const ids = await predict(before);
    const isRight = ids.length === real.length && ids.every((id, i) => id === real[i]);
    predicted.push({ ids, right: isRight });
    allRight &&= isRight;
    total.frames++;
    if (isRight) total.right++;
    before = [...before, ...real];
  }
  total.programs++;
  if (allRight) total.traces++;
  process.stdout.write(`${JSON.stringify({ ids: before, predicted })}\n`);
}
await session.close();
const share = (part, whole) => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;
process.stderr.write(
  `${type}: frames ${share(total.right, total.frames)}, whole traces ${share(total.traces, total.programs)}\n`,
);
