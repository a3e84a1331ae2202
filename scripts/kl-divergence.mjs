#!/usr/bin/env node
// What quantisation changes: converts a checkpoint to f32 and to smaller types, runs each on the same tokens and
// prints, over the positions, the Kullback-Leibler divergence from f32 (mean, largest) and how often the likeliest
// token agrees.
// Usage: node scripts/kl-divergence.mjs CHECKPOINT [--tokens 1,2,3 | --count 256] [--types f16,q8_0,q4_k_m] [--json]
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { parleyCommand, pseudoRandomTokens, runProgram } from "./bench-common.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: "string" },
    count: { type: "string", default: "256" },
    types: { type: "string", default: "f16,q8_0,q4_k_m" },
    json: { type: "boolean", default: false },
  },
});
const [checkpoint] = positionals;
if (checkpoint === undefined) {
  process.stderr.write(
    "usage: node scripts/kl-divergence.mjs CHECKPOINT [--tokens 1,2,3] [--types f16,q8_0]\n",
  );
  process.exit(2);
}
const { vocab_size: vocabulary } = JSON.parse(readFileSync(path.join(checkpoint, "config.json"), "utf8"));
const tokens = values.tokens ?? pseudoRandomTokens(Number(values.count), vocabulary).join(",");

/** @returns float32 logits, one row of the vocabulary per token */
async function logitsOf(type, folder) {
  const model = path.join(folder, `${type}.gguf`);
  await runProgram([...parleyCommand, "convert", checkpoint, "-t", type, "-o", model, "--quiet"]);
  const out = path.join(folder, type);
  await runProgram([
    ...parleyCommand,
    ...["inspect", "forward", model, "--tokens", tokens, "--logits", "--out", out],
    ...["--kv-type", "f32", "--gpu", "off", "--quiet"],
  ]);
  const rows = readLogits(path.join(out, "logits.npy"));
  rmSync(model);
  rmSync(out, { recursive: true });
  return rows;
}

/** Reads a version 1 .npy file of float32 in C order with two dimensions, which is what inspect forward writes. */
function readLogits(file) {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, start);
  const shape = /'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(header);
  if (bytes[6] !== 1 || shape === null) throw new Error(`${file} is no plain float32 matrix: ${header}`);
  const columns = Number(shape[2]);
  const data = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
  );
  return Array.from({ length: Number(shape[1]) }, (_, row) =>
    data.subarray(row * columns, (row + 1) * columns),
  );
}

function logProbabilities(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Float64Array.from(logits, (value) => value - largest - Math.log(sum));
}

/** KL(P || Q) in nats, P being the reference. */
function divergence(reference, other) {
  const [p, q] = [logProbabilities(reference), logProbabilities(other)];
  return p.reduce((sum, value, i) => sum + Math.exp(value) * (value - q[i]), 0);
}

const likeliest = (row) => row.reduce((best, value, i) => (value > row[best] ? i : best), 0);

const folder = mkdtempSync(path.join(tmpdir(), "parley-kl-"));
try {
  const reference = await logitsOf("f32", folder);
  for (const type of values.types.split(",")) {
    const rows = await logitsOf(type, folder);
    const divergences = rows.map((row, i) => divergence(reference[i], row));
    const result = {
      type,
      positions: rows.length,
      meanKl: divergences.reduce((a, b) => a + b, 0) / rows.length,
      maxKl: Math.max(...divergences),
      top1: rows.filter((row, i) => likeliest(row) === likeliest(reference[i])).length / rows.length,
    };
    if (values.json) console.log(JSON.stringify(result));
    else
      console.log(
        `${type.padEnd(7)} KL divergence from f32: mean ${result.meanKl.toExponential(3)} nats, max ${result.maxKl.toExponential(3)};` +
          ` likeliest token equal at ${(100 * result.top1).toFixed(1)} % of ${result.positions} positions`,
      );
  }
} finally {
  rmSync(folder, { recursive: true });
}
