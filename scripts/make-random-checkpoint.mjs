#!/usr/bin/env node
// Writes a GLM or CWM checkpoint with random bf16 weights, to measure with: its answers mean nothing.
// The default shape has about a billion weights (2 GB) and the matrix sizes of a real model of that class.
// Usage: node scripts/make-random-checkpoint.mjs FOLDER [--family glm|cwm] [--hidden 2048] [--layers 14]
//          [--feed-forward 8192] [--heads 16] [--kv-heads 4] [--vocab 32768] [--window 1024] [--seed 1]
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeRandomSafetensors } from "./random-safetensors.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: "string", default: "glm" },
    hidden: { type: "string", default: "2048" },
    layers: { type: "string", default: "14" },
    "feed-forward": { type: "string", default: "8192" },
    heads: { type: "string", default: "16" },
    "kv-heads": { type: "string", default: "4" },
    vocab: { type: "string", default: "32768" },
    window: { type: "string", default: "1024" },
    seed: { type: "string", default: "1" },
  },
});
const [folder] = positionals;
const isCwm = values.family === "cwm";
if (folder === undefined || (!isCwm && values.family !== "glm")) {
  process.stderr.write(
    "usage: node scripts/make-random-checkpoint.mjs FOLDER [--family glm|cwm] [--layers N] ...\n",
  );
  process.exit(2);
}
const hidden = Number(values.hidden);
const layers = Number(values.layers);
const feedForward = Number(values["feed-forward"]);
const heads = Number(values.heads);
const kvHeads = Number(values["kv-heads"]);
const vocabulary = Number(values.vocab);
const headDim = hidden / heads;
const fixture = path.join(root, "test", "fixtures", isCwm ? "cwm-regular" : "glm-biases");

/** Names and shapes, outermost dimension first, in the order of the file. */
function shapes() {
  const list = [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ["lm_head.weight", [vocabulary, hidden]],
    ["model.norm.weight", [hidden]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const add = (name, ...shape) => list.push([`model.layers.${layer}.${name}`, shape]);
    add("input_layernorm.weight", hidden);
    add("post_attention_layernorm.weight", hidden);
    add("self_attn.q_proj.weight", heads * headDim, hidden);
    for (const part of ["k_proj", "v_proj"]) add(`self_attn.${part}.weight`, kvHeads * headDim, hidden);
    add("self_attn.o_proj.weight", hidden, heads * headDim);
    if (isCwm) {
      add("mlp.gate_proj.weight", feedForward, hidden);
      add("mlp.up_proj.weight", feedForward, hidden);
    } else {
      add("self_attn.q_proj.bias", heads * headDim);
      for (const part of ["k_proj", "v_proj"]) add(`self_attn.${part}.bias`, kvHeads * headDim);
      add("mlp.gate_up_proj.weight", 2 * feedForward, hidden);
    }
    add("mlp.down_proj.weight", hidden, feedForward);
  }
  return list;
}

/** Uniform numbers of this width have the standard deviation 1/sqrt(columns): activations keep their size. */
function scaleOf(name, shape) {
  if (name.endsWith("norm.weight")) return undefined;
  return name.endsWith("bias") ? 0.01 : Math.sqrt(3 / shape[shape.length - 1]);
}

mkdirSync(folder, { recursive: true });
const weights = writeRandomSafetensors(
  path.join(folder, "model.safetensors"),
  shapes().map(([name, shape]) => ({ name, shape, scale: scaleOf(name, shape) })),
  Number(values.seed),
);

const config = JSON.parse(readFileSync(path.join(fixture, "config.json"), "utf8"));
const changed = {
  dtype: "bfloat16",
  hidden_size: hidden,
  num_hidden_layers: layers,
  intermediate_size: feedForward,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  head_dim: headDim,
  vocab_size: vocabulary,
  max_position_embeddings: 8192,
};
if (isCwm) {
  changed.sliding_window = Number(values.window);
  changed.layer_types = Array.from({ length: layers }, (_, layer) =>
    layer % 4 === 0 ? "full_attention" : "sliding_attention",
  );
}
writeFileSync(path.join(folder, "config.json"), JSON.stringify({ ...config, ...changed }, null, 2));
for (const name of [
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
  "chat_template.jinja",
])
  copyFileSync(path.join(fixture, name), path.join(folder, name));
process.stdout.write(`${path.resolve(folder)}: ${weights} weights, ${2 * weights} bytes\n`);
