#!/usr/bin/env node
// Compares a GPU with the CPU: converts each checkpoint, runs it on both and prints how far logits and hidden states are
// apart (NMSE: mean squared difference over the reference's mean square), and for a speech model whether it says the
// same codes and how far its audio is apart. Fails above --limit.
// Usage: node scripts/check-gpu.mjs CHECKPOINT... [--gpu cuda] [--types f32,q8_0] [--count 64] [--limit 1e-5]
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { parleyCommand, pseudoRandomTokens, runProgram } from "./bench-common.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gpu: { type: "string", default: "cuda" },
    types: { type: "string", default: "f32,q8_0" },
    count: { type: "string", default: "64" },
    limit: { type: "string", default: "1e-5" },
  },
});

const parley = async (args, gpu) => {
  // An engine that knows the GPU would use it for large products even so.
  const env = gpu === "off" ? { CUDA_VISIBLE_DEVICES: "-1", GGML_VK_VISIBLE_DEVICES: "" } : {};
  return (await runProgram([...parleyCommand, ...args, "--gpu", gpu, "--quiet"], { env })).stdout;
};

/** The numbers of a version 1 .npy file of float32 or int32. */
function readNumbers(file) {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const data = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length);
  return bytes.toString("latin1", 10, start).includes("<i4") ? new Int32Array(data) : new Float32Array(data);
}

/** The samples of a WAV file of 32-bit floats, as codec decode --float writes it. */
function readSamples(file) {
  const bytes = readFileSync(file);
  const at = bytes.indexOf("data") + 8;
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + bytes.length));
}

function nmse(reference, other) {
  if (reference.length !== other.length) return Infinity;
  let difference = 0;
  let square = 0;
  for (let i = 0; i < reference.length; i += 1) {
    difference += (reference[i] - other[i]) ** 2;
    square += reference[i] ** 2;
  }
  return difference / square;
}

async function compareForward(model, vocabulary, folder) {
  const tokens = pseudoRandomTokens(Number(values.count), vocabulary).join(",");
  const run = async (gpu) => {
    const out = path.join(folder, gpu);
    const files = ["--logits", "--hidden-states", "--out", out];
    await parley(["inspect", "forward", model, "--tokens", tokens, ...files, "--kv-type", "f32"], gpu);
    return ["logits", "hidden_states"].map((name) => readNumbers(path.join(out, `${name}.npy`)));
  };
  const [reference, other] = [await run("off"), await run(values.gpu)];
  return { logits: nmse(reference[0], other[0]), hidden: nmse(reference[1], other[1]) };
}

/** Greedy speech on both, the reference's codes as audio on both, and that audio as codes again. */
async function compareSpeech(model, folder) {
  const file = (name, gpu) => path.join(folder, `${name}-${gpu}`);
  for (const gpu of ["off", values.gpu]) {
    const speak = ["speak", "-m", model, "one two three", "--greedy", "--max-seconds", "4", "--force"];
    await parley([...speak, "-o", file("speech.wav", gpu), "--codes", file("codes.npy", gpu)], gpu);
    const codec = (name, from, to) =>
      parley(
        ["codec", name, from, "-m", model, "-o", to, "--force", ...(name === "decode" ? ["--float"] : [])],
        gpu,
      );
    await codec("decode", file("codes.npy", "off"), file("audio.wav", gpu));
    await codec("encode", file("audio.wav", "off"), file("heard.npy", gpu));
  }
  const both = (name, read) => [read(file(name, "off")), read(file(name, values.gpu))];
  return {
    codes: agreement(...both("codes.npy", readNumbers)),
    heard: agreement(...both("heard.npy", readNumbers)),
    audio: nmse(...both("audio.wav", readSamples)),
  };
}

/** How far two lists of codes go together: after the first other code, speech goes its own way. */
function agreement(reference, other) {
  const first = reference.findIndex((code, i) => code !== other[i]);
  return `${first < 0 ? reference.length : first} of ${reference.length}`;
}

let failed = false;
for (const checkpoint of positionals) {
  const config = JSON.parse(readFileSync(path.join(checkpoint, "config.json"), "utf8"));
  const speaks = config.model_type === "csm";
  const vocabulary = speaks ? config.text_vocab_size : (config.vocab_size ?? config.padded_vocab_size);
  for (const type of values.types.split(",")) {
    const folder = mkdtempSync(path.join(tmpdir(), "parley-gpu-"));
    try {
      const model = path.join(folder, "model.gguf");
      await runProgram([...parleyCommand, "convert", checkpoint, "-t", type, "-o", model, "--quiet"]);
      const { logits, hidden } = await compareForward(model, vocabulary, folder);
      const { codes, heard, audio } = speaks ? await compareSpeech(model, folder) : {};
      const worst = Math.max(logits, hidden, audio ?? 0);
      // "not below" also catches a NaN
      const bad = !(worst <= Number(values.limit));
      failed ||= bad;
      const speech = speaks ? `  audio ${audio.toExponential(1)}  codes spoken ${codes}, heard ${heard}` : "";
      console.log(
        `${bad ? "FAIL" : "ok  "} ${path.basename(checkpoint).padEnd(28)} ${type.padEnd(6)} ` +
          `logits ${logits.toExponential(1)}  hidden states ${hidden.toExponential(1)}${speech}`,
      );
    } catch (error) {
      failed = true;
      console.log(`FAIL ${path.basename(checkpoint).padEnd(28)} ${type.padEnd(6)} ${error.message}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
process.exit(failed ? 1 : 0);
