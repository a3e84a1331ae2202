#!/usr/bin/env node
// Speed of speaking: frame time, real-time factor (RTF: seconds of computing per second of audio), Mimi apart, time to
// the first audio, memory, and the share of the memory's read bandwidth that the frame graph reaches.
// scripts/make-random-csm.mjs makes a checkpoint of full size.
// The bandwidth is measured between the others, by a C program that is compiled for it (read-bandwidth.c).
// Usage: node scripts/bench-speech.mjs MODEL.gguf [--threads 2] [--batches 1,2,4,8] [--frames 24] [--rounds 4] [--plain | --gpu cuda]
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { loadLine, median, root, waitForCalm } from "./bench-common.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: String(availableParallelism()) },
    batches: { type: "string", default: "1,2,4,8" },
    frames: { type: "string", default: "24" },
    rounds: { type: "string", default: "4" },
    plain: { type: "boolean", default: false },
    gpu: { type: "string", default: "off" },
  },
});
const [file] = positionals;
if (file === undefined) {
  process.stderr.write("usage: node scripts/bench-speech.mjs MODEL.gguf [--threads N] [--batches 1,2,4,8]\n");
  process.exit(2);
}
// as in the engine process: one thread of libuv, so that there is one team of computing threads
if (process.env.UV_THREADPOOL_SIZE !== "1") {
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const { status, signal } = spawnSync(process.execPath, process.argv.slice(1), { env, stdio: "inherit" });
  if (signal) process.stderr.write(`ended by ${signal}\n`);
  process.exit(status ?? 1);
}

const dist = (name) => import(path.join(root, "dist", "engine", name));
const { findEngine } = await dist("build/engine-store.js");
const { loadAddon } = await dist("host/llama-binding.js");
const { readGguf } = await dist("formats/gguf-reader.js");

const frames = Number(values.frames);
const rounds = Number(values.rounds);
const CHUNK_FRAMES = 8;
const GREEDY = { temperature: 0, topK: 0, depthTemperature: 0, depthTopK: 0 };
const SAMPLED = { temperature: 0.9, topK: 50, depthTemperature: 0.9, depthTopK: 50 };

const folder = process.env.PARLEY_ENGINE ?? (await findEngine(values.gpu))?.folder;
if (folder === undefined) throw new Error("the engine is not built: parley engine build");
const gguf = await readGguf(file, { purpose: "run" });
const native = new (loadAddon(folder).ParleySpeech)();
const loading = performance.now();
const facts = await native.load(file, {
  threads: Number(values.threads),
  plain: values.plain,
  gpu: values.gpu !== "off",
});
const loadMs = performance.now() - loading;
const secondsPerFrame = facts.samplesPerFrame / facts.sampleRate;

/** Bytes of weights that one frame reads: the depth decoder's once per codebook but the first. */
function bytesPerFrame() {
  let bytes = 0;
  for (const tensor of gguf.tensors) {
    if (/^(blk\.\d+\..*|output)\.weight$/.test(tensor.name)) bytes += tensor.bytes;
    else if (/^depth\.(blk\.\d+\..*|proj)\.weight$/.test(tensor.name))
      bytes += tensor.bytes * (facts.codebooks - 1);
    else if (/^depth\.output\.\d+\.weight$/.test(tensor.name)) bytes += tensor.bytes;
  }
  return bytes;
}

const scratch = mkdtempSync(path.join(tmpdir(), "parley-bench-"));
const bandwidthProgram = path.join(scratch, "read-bandwidth");
execFileSync("cc", [
  ...["-O3", "-march=native", "-pthread", "-o", bandwidthProgram],
  path.join(root, "scripts", "read-bandwidth.c"),
]);
const bandwidth = () =>
  Number(execFileSync(bandwidthProgram, [values.threads, "1024"], { encoding: "utf8" }));

async function begin(width, sampling, prompt = 12) {
  const context = Math.min(facts.context, prompt + frames + 64);
  await native.begin({ width, context, kvType: "f16", ...sampling });
  for (let i = 0; i < width; i++) {
    const tokens = Int32Array.from({ length: prompt }, (_, t) => (7 * t + i) % facts.textVocabulary);
    await native.start(i, tokens, new Int32Array(0), { seed: 1 + i, maxFrames: 1 << 20 });
  }
}

/** Milliseconds per frame of `width` utterances in lock step, Mimi included, in pieces as `parley speak` takes them. */
async function speaking(width, sampling) {
  await begin(width, sampling);
  await native.speak(CHUNK_FRAMES); // builds the graphs
  let spoken = 0;
  const started = performance.now();
  while (spoken < frames) {
    await native.speak(CHUNK_FRAMES);
    spoken += CHUNK_FRAMES;
  }
  return (performance.now() - started) / spoken;
}

/** Milliseconds from the prompt to the first samples, graphs not yet built. */
async function firstAudio(prompt) {
  const context = Math.min(facts.context, prompt + 64);
  const started = performance.now();
  await native.begin({ width: 1, context, kvType: "f16", ...SAMPLED });
  const tokens = new Int32Array(prompt).fill(5);
  await native.start(0, tokens, new Int32Array(0), { seed: 1, maxFrames: 4 });
  await native.speak(1);
  return performance.now() - started;
}

/** Milliseconds per frame of one direction of the codec in pieces of 8 frames. */
async function codec(step) {
  native.resetCodec();
  await step();
  const started = performance.now();
  const pieces = Math.ceil(frames / CHUNK_FRAMES);
  for (let i = 0; i < pieces; i++) await step();
  return (performance.now() - started) / (pieces * CHUNK_FRAMES);
}

const codes = Int32Array.from(
  { length: CHUNK_FRAMES * facts.codebooks },
  (_, i) => (i * 37) % facts.codebookSize,
);
const clip = Float32Array.from(
  { length: CHUNK_FRAMES * facts.samplesPerFrame },
  (_, i) => 0.3 * Math.sin(i / 9),
);
const rows = new Map();

/** Takes one measurement, when the machine is calm or after some seconds. */
async function note(name, measure) {
  await waitForCalm(4);
  const value = await measure();
  process.stderr.write(`  ${name} ${value.toFixed(1)}\n`);
  rows.set(name, [...(rows.get(name) ?? []), value]);
}

const batches = values.batches.split(",").map(Number);

for (let round = 0; round < rounds; round++) {
  await note("bandwidth", bandwidth);
  await note("decode", () => codec(() => native.decode(codes)));
  await note("encode", () => codec(() => native.encode(clip)));
  for (const width of batches) await note(`batch ${width}`, () => speaking(width, GREEDY));
  await note("sampled", () => speaking(1, SAMPLED));
  await note("first 12", () => firstAudio(12));
  await note("first 400", () => firstAudio(400));
  await note("bandwidth", bandwidth);
}
rmSync(scratch, { recursive: true });

const of = (name) => median(rows.get(name));
const rtf = (milliseconds) => (milliseconds / 1000 / secondsPerFrame).toFixed(3);
const all = (name) =>
  `(${rows
    .get(name)
    .map((value) => value.toFixed(1))
    .join(" ")})`;
const perFrame = (name, width = 1) =>
  `${of(name).toFixed(1)} ms/frame, RTF ${rtf(of(name) / width)}, at best ${rtf(Math.min(...rows.get(name)) / width)}  ${all(name)}`;
const print = (line) => process.stdout.write(line + "\n");
const status = readFileSync("/proc/self/status", "utf8");
const resident = (key) => 1024 * Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
const mega = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

print(
  `${path.basename(file)}, ${values.threads} threads, ${facts.fused ? "fused kernels" : "plain ggml"}, ${rounds} rounds, ${loadLine()}`,
);
print(`loading                 ${loadMs.toFixed(0)} ms`);
print("milliseconds are medians over rounds; RTF is per utterance");
for (const width of batches) print(`batch ${width}, with Mimi      ${perFrame(`batch ${width}`, width)}`);
print(`sampled, with Mimi      ${perFrame("sampled")}`);
print(`Mimi decode             ${perFrame("decode")}`);
print(`Mimi encode             ${perFrame("encode")}`);
print(
  `first audio             ${of("first 12").toFixed(0)} ms after 12 positions, ${of("first 400").toFixed(0)} ms after 400`,
);
if (batches.includes(1)) {
  const megabytes = bytesPerFrame() / 1e6;
  const line = (how, of) => {
    const frame = of("batch 1", Math.min) - of("decode", Math.min);
    const reachable = of("bandwidth", Math.max);
    const share = (100 * (megabytes / frame)) / reachable;
    print(
      `frame graph, ${how}   ${frame.toFixed(1)} ms for ${megabytes.toFixed(0)} MB: ${(megabytes / frame).toFixed(1)} GB/s, ` +
        `${share.toFixed(0)} % of ${reachable.toFixed(1)} GB/s`,
    );
  };
  line("medians", of);
  line("at best", (name, best) => best(...rows.get(name)));
  print(`bandwidth               ${all("bandwidth")} GB/s`);
}
print(
  `memory                  file ${mega(gguf.fileSize)}, resident now ${mega(resident("VmRSS"))}, at most ${mega(resident("VmHWM"))}; ` +
    Object.entries(native.memory())
      .map(([name, bytes]) => `${name} ${mega(bytes)}`)
      .join(", "),
);
