#!/usr/bin/env node
// Speed of `parley chat` against llama-bench on the same file: decoding after a prompt of each --depth, reading
// prompts of each --read. The two take turns, and the medians are compared. llama-bench must come from the patched
// tree (scripts/patches.mjs apply), built with the flags of src/engine/build/compile.ts, to know CWM.
// --llama-completion adds the time from the start of the process to the end of an answer of one token.
// scripts/make-random-checkpoint.mjs makes models to measure with.
// --cpu compares processor seconds per token on one thread instead of the clock: it says nothing about how threads
// work together, but it still means something on a machine that others keep busy.
// Usage: node scripts/bench-text.mjs MODEL.gguf... --llama-bench PATH [--pairs 5] [--threads 2] [--depth 1,4000]
//          [--read 512] [--generate 64] [--llama-completion PATH] [--cpu] [--gpu cuda]
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import {
  describePairs,
  descendantsCpuSeconds,
  loadLine,
  parleyCommand,
  runProgram,
  waitForCalm,
} from "./bench-common.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "llama-bench": { type: "string" },
    pairs: { type: "string", default: "5" },
    threads: { type: "string", default: String(availableParallelism()) },
    depth: { type: "string", default: "1" },
    read: { type: "string", default: "512" },
    generate: { type: "string", default: "64" },
    "llama-completion": { type: "string" },
    cpu: { type: "boolean", default: false },
    gpu: { type: "string", default: "off" },
  },
});
if (positionals.length === 0 || values["llama-bench"] === undefined) {
  process.stderr.write("usage: node scripts/bench-text.mjs MODEL.gguf... --llama-bench PATH [--pairs N]\n");
  process.exit(2);
}

const threads = values.cpu ? "1" : values.threads;
const GENERATED = Number(values.generate);
const sizes = (list) => list.split(",").filter(Boolean).map(Number);

/** The same token everywhere would be kind to caches; these are spread over the low ids every vocabulary has. */
const ids = (count) => Array.from({ length: count }, (_, i) => 10 + ((i * 37) % 200)).join(",");

async function parley(model, promptTokens, generated) {
  const { stdout } = await runProgram([
    ...parleyCommand,
    ...["chat", "-m", model, "--prompt-tokens", ids(promptTokens), "-n", String(generated)],
    ...["--temp", "0", "--repeat-penalty", "1", "--threads", threads, "--gpu", values.gpu, "--json"],
  ]);
  const document = JSON.parse(stdout);
  if (document.usage.completion_tokens !== generated)
    throw new Error(`parley stopped after ${document.usage.completion_tokens} of ${generated} tokens`);
  return document.timings;
}

async function seconds(program) {
  return (await runProgram(program)).seconds;
}

async function llamaBench(model, { read = 0, generate = 0, depth = 0 }) {
  const { stdout } = await runProgram([
    values["llama-bench"],
    ...["-m", model, "-p", String(read), "-n", String(generate), "-d", String(depth)],
    ...["-t", threads, "-ngl", values.gpu === "off" ? "0" : "99", "-r", "1", "-o", "json"],
  ]);
  return JSON.parse(stdout)[0].avg_ts;
}

/** Pairs of (parley, llama-bench), each taken in turns; the first is thrown away, it fills the page cache. */
async function pairs(ours, theirs) {
  const taken = [];
  for (let i = 0; i <= Number(values.pairs); i++) {
    await waitForCalm();
    const pair = [await ours(), await theirs()];
    if (i > 0) taken.push(pair);
    console.error(
      `  ${i === 0 ? "warm-up" : `pair ${i}`}: ${pair.map((rate) => rate.toFixed(2)).join(" / ")}, ${loadLine()}`,
    );
  }
  return taken;
}

/** Tokens per processor second between a short and a long answer: start, load and warm-up cancel out. */
async function perCpuSecond(run) {
  const [short, long] = [8, 8 + 4 * GENERATED];
  const seconds = [];
  for (const count of [short, long]) {
    const before = descendantsCpuSeconds();
    await run(count);
    seconds.push(descendantsCpuSeconds() - before);
  }
  return (long - short) / (seconds[1] - seconds[0]);
}

/** Starts the program, loads the model, answers with one token. */
const startOfParley = (model) =>
  seconds([
    ...[...parleyCommand, "chat", "-m", model, "--raw", "hello", "-n", "1", "--temp", "0"],
    ...["--threads", threads, "--gpu", values.gpu],
  ]);
const startOfCompletion = (model) =>
  seconds([
    ...[values["llama-completion"], "-m", model, "-p", "hello", "-n", "1", "--temp", "0", "-t", threads],
    ...["-no-cnv", "-c", "512", "-ngl", values.gpu === "off" ? "0" : "99"],
  ]);

async function measure(model) {
  console.log(path.basename(model));
  if (values.cpu) {
    const decode = await pairs(
      () => perCpuSecond((count) => parley(model, 1, count)),
      () => perCpuSecond((count) => llamaBench(model, { generate: count })),
    );
    console.log(describePairs("decode on one thread", "tokens/processor second", decode));
    return;
  }
  for (const depth of sizes(values.depth)) {
    const decode = await pairs(
      async () => (await parley(model, depth, GENERATED)).tokens_per_second,
      () => llamaBench(model, { generate: GENERATED, depth: depth > 1 ? depth : 0 }),
    );
    console.log(describePairs(`decode ${GENERATED} tokens after ${depth}`, "tokens/s", decode));
  }
  for (const read of sizes(values.read)) {
    const prefill = await pairs(
      async () => (await parley(model, read, 1)).prompt_per_second,
      () => llamaBench(model, { read }),
    );
    console.log(describePairs(`read ${read} tokens`, "tokens/s", prefill));
  }
  if (values["llama-completion"] !== undefined) {
    const start = await pairs(
      () => startOfParley(model),
      () => startOfCompletion(model),
    );
    console.log(describePairs("start, load and one token", "s (smaller is better)", start));
  }
}

console.log(`${threads} threads, ${loadLine()}`);
for (const model of positionals) await measure(model);
console.log(loadLine());
