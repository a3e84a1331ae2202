#!/usr/bin/env node
// Compares `parley inspect memory` with what the engine process takes when it runs the model: a prompt of two full
// batches is read, then the kernel is asked (Linux), and the sizes that llama.cpp logs are added up. Prints one JSON
// line per model and context. A speech model speaks in this process, which is left out of both figures.
// Usage: node scripts/measure-memory.mjs FILE.gguf [--ctx 4096,32768] [--kv-type f16] [--swa-full] [--threads 2]
//          [--prompt 1024]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const load = (name) => import(path.join(root, "dist", "engine", name));
const { EngineProcess } = await load("client/engine-process.js");
const { readModelFacts } = await load("client/model-facts.js");
const { TextSession } = await load("client/text-session.js");
const { readGguf } = await load("formats/gguf-reader.js");
const { findEngine } = await load("build/engine-store.js");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ctx: { type: "string", default: "4096" },
    "kv-type": { type: "string", default: "f16" },
    "swa-full": { type: "boolean", default: false },
    threads: { type: "string", default: "2" },
    prompt: { type: "string", default: "1024" },
  },
});
const BATCH = 512;

/** kB of a line such as "VmRSS:   1234 kB". */
function statusOf(pid, key) {
  const line = readFileSync(`/proc/${pid}/status`, "utf8")
    .split("\n")
    .find((found) => found.startsWith(`${key}:`));
  return Number(line?.match(/\d+/)?.[0] ?? 0) * 1024;
}

async function measure(file, contextSize) {
  const buffers = {};
  const process_ = new EngineProcess({
    onLog: ({ text }) => {
      const found = /(\S+) +(\w+(?: \w+)?) buffer size = +([\d.]+) MiB/.exec(text);
      if (found)
        buffers[`${found[1]} ${found[2]}`] =
          (buffers[`${found[1]} ${found[2]}`] ?? 0) + Math.round(Number(found[3]) * 2 ** 20);
    },
  });
  const facts = await readModelFacts(file);
  const engine = { folder: process.env.PARLEY_ENGINE ?? (await findEngine("off")).folder, gpu: "off" };
  const session = await TextSession.open({
    process: process_,
    engine,
    facts,
    gpuLayers: 0,
    threads: Number(values.threads),
  });
  try {
    const flashAttention = values["kv-type"] === "f32" ? "off" : "auto";
    await session.createContext({
      contextSize,
      batchSize: Math.min(BATCH, contextSize),
      kvType: values["kv-type"],
      flashAttention,
      swaFull: values["swa-full"],
    });
    const tokens = Array.from(
      { length: Math.min(Number(values.prompt), contextSize - 8) },
      (_, i) => 16 + (i % 64),
    );
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };
    const run = session.generate({ tokens, maxTokens: 4, sampling, stopTokens: [] });
    for (let step = await run.next(); !step.done; step = await run.next());
    const pid = process_.pid;
    return {
      resident: statusOf(pid, "VmRSS"),
      peak: statusOf(pid, "VmHWM"),
      anonymous: statusOf(pid, "RssAnon"),
      mapped: statusOf(pid, "RssFile"),
      buffers,
    };
  } finally {
    await session.close();
  }
}

/** A speech model, in this process: what it takes beyond what the process had before. */
async function measureSpeech(file, contextSize) {
  const { loadAddon } = await load("host/llama-binding.js");
  const { SpeechModel } = await load("host/speech-model.js");
  const addon = loadAddon(process.env.PARLEY_ENGINE ?? (await findEngine("off")).folder);
  const before = statusOf(process.pid, "VmRSS");
  const model = await SpeechModel.load(addon, file, { threads: Number(values.threads) });
  const maxFrames = Math.min(20, contextSize - 1);
  const utterance = {
    tokens: new Int32Array(contextSize - maxFrames).fill(5),
    codes: new Int32Array(0),
    seed: 1,
    maxFrames,
  };
  const sampling = { temperature: 0, topK: 0, depthTemperature: 0, depthTopK: 0 };
  const speech = model.speak([utterance], { width: 1, kvType: "f16", sampling });
  while (!(await speech.next()).done);
  const resident = statusOf(process.pid, "VmRSS") - before;
  model.dispose();
  return resident;
}

function estimate(file, contextSize) {
  const args = [
    "inspect",
    "memory",
    file,
    "--ctx",
    String(contextSize),
    "--kv-type",
    values["kv-type"],
    "--json",
  ];
  if (values["swa-full"]) args.push("--swa-full");
  return JSON.parse(
    execFileSync(process.execPath, [path.join(root, "bin", "run.js"), ...args], { encoding: "utf8" }),
  );
}

for (const file of positionals) {
  for (const contextSize of values.ctx.split(",").map(Number)) {
    if ((await readGguf(file, { purpose: "inspect" })).metadata.get("general.architecture").value === "csm") {
      const resident = await measureSpeech(file, contextSize);
      const [{ total, process: own }] = estimate(file, contextSize).rows;
      const ratio = { resident: (total - own) / resident };
      process.stdout.write(
        `${JSON.stringify({ file: path.basename(file), contextSize, ratio, estimated: total - own, resident })}\n`,
      );
      continue;
    }
    const measured = await measure(file, contextSize);
    const buffers = Object.values(measured.buffers).reduce((sum, bytes) => sum + bytes, 0);
    const [row] = estimate(file, contextSize).rows;
    const ratio = { resident: row.total / measured.resident, buffers: (row.total - row.process) / buffers };
    process.stdout.write(
      `${JSON.stringify({ file: path.basename(file), contextSize, ratio, estimated: row, measured })}\n`,
    );
  }
}
