#!/usr/bin/env node
// Inspects a sparse 10 GB checkpoint and a sparse 10 GB GGUF file and prints time and peak memory (Linux).
// Usage: node scripts/inspect-large.mjs
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(path.join(os.tmpdir(), "parley-large-"));
const LAYERS = 36;
const [HIDDEN, FEED_FORWARD, VOCABULARY] = [4096, 10_240, 128_256];

/** Names and shapes of a CWM of five billion weights. */
function shapes() {
  const layers = Array.from({ length: LAYERS }, (_, i) =>
    Object.entries({
      input_layernorm: [HIDDEN],
      "self_attn.q_proj": [HIDDEN, HIDDEN],
      "self_attn.k_proj": [1024, HIDDEN],
      "self_attn.v_proj": [1024, HIDDEN],
      "self_attn.o_proj": [HIDDEN, HIDDEN],
      post_attention_layernorm: [HIDDEN],
      "mlp.gate_proj": [FEED_FORWARD, HIDDEN],
      "mlp.up_proj": [FEED_FORWARD, HIDDEN],
      "mlp.down_proj": [HIDDEN, FEED_FORWARD],
    }).map(([name, shape]) => [`model.layers.${i}.${name}.weight`, shape]),
  ).flat();
  const ends = ["model.embed_tokens", "lm_head"].map((name) => [`${name}.weight`, [VOCABULARY, HIDDEN]]);
  return [...ends, ["model.norm.weight", [HIDDEN]], ...layers];
}

function writeCheckpoint(target) {
  cpSync(path.join(root, "models", "pocket-cwm"), target, { recursive: true });
  const config = JSON.parse(readFileSync(path.join(target, "config.json"), "utf8"));
  const types = Array.from({ length: LAYERS }, (_, i) =>
    i % 4 === 0 ? "full_attention" : "sliding_attention",
  );
  const sizes = {
    hidden_size: HIDDEN,
    intermediate_size: FEED_FORWARD,
    num_hidden_layers: LAYERS,
    vocab_size: VOCABULARY,
  };
  const heads = {
    num_attention_heads: 32,
    num_key_value_heads: 8,
    head_dim: 128,
    layer_types: types,
    tie_word_embeddings: false,
  };
  writeFileSync(path.join(target, "config.json"), JSON.stringify({ ...config, ...sizes, ...heads }));
  const header = {};
  let offset = 0;
  for (const [name, shape] of shapes()) {
    const bytes = 2 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = path.join(target, "model.safetensors");
  const descriptor = openSync(file, "w");
  writeSync(descriptor, Buffer.concat([length, text]));
  closeSync(descriptor);
  truncateSync(file, 8 + text.length + offset);
  return 8 + text.length + offset;
}

/** A GGUF file with the header of the checkpoint's conversion and the vocabulary of a large model. */
async function writeGguf(checkpoint, file) {
  const load = (name) => import(path.join(root, "dist", "engine", name));
  const { planConversion } = await load("convert/convert-checkpoint.js");
  const { layoutGguf } = await load("formats/gguf-writer.js");
  const plan = await planConversion(checkpoint, { type: "bf16" });
  const words = Array.from({ length: VOCABULARY }, (_, id) => `token${id}`);
  const metadata = new Map(plan.metadata);
  metadata.set("tokenizer.ggml.tokens", { type: "array", of: "string", value: words });
  const merges = Array.from({ length: 280_000 }, (_, id) => `merge${id} with${id}`);
  metadata.set("tokenizer.ggml.merges", { type: "array", of: "string", value: merges });
  const { header, totalBytes } = layoutGguf({ metadata, tensors: plan.tensors });
  writeFileSync(file, header);
  truncateSync(file, totalBytes);
  return totalBytes;
}

/** Node prints its largest resident set when it ends. */
const REPORT = `data:text/javascript,process.on("exit", () => console.error("maxrss", process.resourceUsage().maxRSS))`;

function inspect(model, topic) {
  const command = ["inspect", ...topic, model];
  const started = performance.now();
  const args = ["--import", REPORT, path.join(root, "bin", "run.js"), ...command];
  const run = spawnSync(process.execPath, args, { encoding: "utf8" });
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(run.stderr);
  const megabytes = Number(/maxrss (\d+)/.exec(run.stderr)?.[1]) / 1000;
  const name = `parley inspect ${[...topic, path.basename(model)].join(" ")}`;
  process.stdout.write(`${name}: ${seconds.toFixed(2)} s, ${megabytes.toFixed(0)} MB\n`);
}

try {
  const checkpoint = path.join(folder, "checkpoint");
  const gguf = path.join(folder, "model.gguf");
  const sizes = [writeCheckpoint(checkpoint), await writeGguf(checkpoint, gguf)];
  process.stdout.write(`checkpoint ${sizes[0]} bytes, GGUF ${sizes[1]} bytes, both sparse\n`);
  for (const model of [checkpoint, gguf])
    for (const topic of [[], ["config"], ["tensors"], ["memory"]]) inspect(model, topic);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
