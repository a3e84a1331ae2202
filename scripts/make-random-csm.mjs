#!/usr/bin/env node
// Writes a CSM checkpoint with random bf16 weights, to measure and to test with: it speaks noise.
// The default has the sizes of sesame/csm-1b (1.5 billion weights, 3.1 GB) but for the text vocabulary, which is that
// of the tests' tokenizer. --set changes one value of config.json.
// Usage: node scripts/make-random-csm.mjs FOLDER [--seed 1] [--set KEY=NUMBER|JSON]...
//        node scripts/make-random-csm.mjs /tmp/small --set hidden_size=64 --set codec_config.upsampling_ratios=[4,3]
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeRandomSafetensors } from "./random-safetensors.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const base = path.join(root, "test", "fixtures", "csm-six");

/** What sesame/csm-1b has in config.json. */
const CSM_1B = {
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  num_codebooks: 32,
  vocab_size: 2051,
};
const DEPTH_1B = {
  hidden_size: 1024,
  intermediate_size: 8192,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 128,
};
const MIMI_1B = {
  hidden_size: 512,
  intermediate_size: 2048,
  num_hidden_layers: 8,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  head_dim: 64,
  num_filters: 64,
  sliding_window: 250,
  codebook_size: 2048,
  codebook_dim: 256,
  upsample_groups: 512,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, set: { type: "string", multiple: true, default: [] } },
});
const [folder] = positionals;
if (folder === undefined) {
  process.stderr.write("usage: node scripts/make-random-csm.mjs FOLDER [--seed N] [--set KEY=VALUE]...\n");
  process.exit(2);
}
const config = readConfig();
const depth = config.depth_decoder_config;
const mimi = config.codec_config;

/** The base configuration with the full sizes and then the --set values; what must be equal in several places is. */
function readConfig() {
  const config = JSON.parse(readFileSync(path.join(base, "config.json"), "utf8"));
  Object.assign(config, CSM_1B);
  Object.assign(config.depth_decoder_config, DEPTH_1B);
  Object.assign(config.codec_config, MIMI_1B);
  for (const setting of values.set) {
    const [key, value] = setting.split(/=(.*)/s);
    const parts = key.split(".");
    const last = parts.pop();
    parts.reduce((object, part) => object[part], config)[last] = JSON.parse(value);
  }
  const { num_codebooks, vocab_size, hidden_size, codec_config } = config;
  Object.assign(config, { codebook_pad_token_id: vocab_size - 1, tie_codebooks_embeddings: true });
  Object.assign(config.depth_decoder_config, {
    num_codebooks,
    vocab_size,
    backbone_hidden_size: hidden_size,
    max_position_embeddings: num_codebooks + 1,
  });
  Object.assign(codec_config, {
    num_quantizers: num_codebooks,
    vector_quantization_hidden_dimension: codec_config.codebook_dim,
  });
  return config;
}

/** Layers of the backbone or the depth decoder. */
function* llama(prefix, sizes) {
  const {
    hidden_size: hidden,
    intermediate_size: inner,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: width,
  } = sizes;
  for (let layer = 0; layer < sizes.num_hidden_layers; layer++) {
    const at = `${prefix}.layers.${layer}`;
    yield [`${at}.input_layernorm.weight`, hidden];
    yield [`${at}.post_attention_layernorm.weight`, hidden];
    yield [`${at}.self_attn.q_proj.weight`, heads * width, hidden];
    yield [`${at}.self_attn.k_proj.weight`, kvHeads * width, hidden];
    yield [`${at}.self_attn.v_proj.weight`, kvHeads * width, hidden];
    yield [`${at}.self_attn.o_proj.weight`, hidden, heads * width];
    yield [`${at}.mlp.gate_proj.weight`, inner, hidden];
    yield [`${at}.mlp.up_proj.weight`, inner, hidden];
    yield [`${at}.mlp.down_proj.weight`, hidden, inner];
  }
  yield [`${prefix}.norm.weight`, hidden];
}

function* mimiTransformer(prefix) {
  const {
    hidden_size: hidden,
    intermediate_size: inner,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: width,
  } = mimi;
  for (let layer = 0; layer < mimi.num_hidden_layers; layer++) {
    const at = `${prefix}.layers.${layer}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"]) {
      yield [`${at}.${norm}.weight`, hidden];
      yield [`${at}.${norm}.bias`, hidden];
    }
    yield [`${at}.self_attn.q_proj.weight`, heads * width, hidden];
    yield [`${at}.self_attn.k_proj.weight`, kvHeads * width, hidden];
    yield [`${at}.self_attn.v_proj.weight`, kvHeads * width, hidden];
    yield [`${at}.self_attn.o_proj.weight`, hidden, heads * width];
    yield [`${at}.self_attn_layer_scale.scale`, hidden];
    yield [`${at}.mlp.fc1.weight`, inner, hidden];
    yield [`${at}.mlp.fc2.weight`, hidden, inner];
    yield [`${at}.mlp_layer_scale.scale`, hidden];
  }
}

function* conv(name, out, into, kernel) {
  yield [`${name}.conv.weight`, out, into, kernel];
  yield [`${name}.conv.bias`, out];
}

/** A transposed convolution keeps its input channels outermost. */
function* transposed(name, into, out, kernel) {
  yield [`${name}.conv.weight`, into, out, kernel];
  yield [`${name}.conv.bias`, out];
}

/** Layers are counted with the activations between them, as in MimiEncoder and MimiDecoder. */
function* mimiConvs() {
  const {
    hidden_size: hidden,
    num_filters: filters,
    kernel_size,
    last_kernel_size,
    upsampling_ratios,
  } = mimi;
  const blocks = function* (side, index, channels) {
    for (let j = 0; j < mimi.num_residual_layers; j++) {
      const at = `codec_model.${side}.layers.${index + j}.block`;
      const narrow = Math.floor(channels / mimi.compress);
      yield* conv(`${at}.1`, narrow, channels, mimi.residual_kernel_size);
      yield* conv(`${at}.3`, channels, narrow, 1);
    }
  };
  let index = 0;
  let channels = filters;
  yield* conv(`codec_model.encoder.layers.${index++}`, channels, 1, kernel_size);
  for (const ratio of [...upsampling_ratios].reverse()) {
    yield* blocks("encoder", index, channels);
    index += mimi.num_residual_layers + 1;
    yield* conv(`codec_model.encoder.layers.${index++}`, 2 * channels, channels, 2 * ratio);
    channels *= 2;
  }
  yield* conv(`codec_model.encoder.layers.${index + 1}`, hidden, channels, last_kernel_size);
  yield [`codec_model.downsample.conv.weight`, hidden, hidden, 4];
  yield [`codec_model.upsample.conv.weight`, hidden, hidden / mimi.upsample_groups, 4];
  index = 0;
  yield* conv(`codec_model.decoder.layers.${index++}`, channels, hidden, kernel_size);
  for (const ratio of upsampling_ratios) {
    yield* transposed(`codec_model.decoder.layers.${index + 1}`, channels, channels / 2, 2 * ratio);
    channels /= 2;
    yield* blocks("decoder", index + 2, channels);
    index += mimi.num_residual_layers + 2;
  }
  yield* conv(`codec_model.decoder.layers.${index + 1}`, 1, channels, last_kernel_size);
}

function* quantizer(name, codebooks) {
  const at = `codec_model.quantizer.${name}_residual_vector_quantizer`;
  if (mimi.codebook_dim !== mimi.hidden_size) {
    yield [`${at}.input_proj.weight`, mimi.codebook_dim, mimi.hidden_size, 1];
    yield [`${at}.output_proj.weight`, mimi.hidden_size, mimi.codebook_dim, 1];
  }
  for (let k = 0; k < codebooks; k++) {
    yield [`${at}.layers.${k}.codebook.initialized`, 1];
    yield [`${at}.layers.${k}.codebook.cluster_usage`, mimi.codebook_size];
    yield [`${at}.layers.${k}.codebook.embed_sum`, mimi.codebook_size, mimi.codebook_dim];
  }
}

/** Names and shapes, outermost dimension first, in the order of the file. */
function* tensors() {
  const { hidden_size: hidden, num_codebooks: codebooks, vocab_size: vocabulary } = config;
  yield ["embed_text_tokens.weight", config.text_vocab_size, hidden];
  yield ["backbone_model.embed_tokens.embed_audio_tokens.weight", codebooks * vocabulary, hidden];
  yield* llama("backbone_model", config);
  yield ["lm_head.weight", vocabulary, hidden];
  yield ["depth_decoder.model.inputs_embeds_projector.weight", depth.hidden_size, hidden];
  yield* llama("depth_decoder.model", depth);
  yield ["depth_decoder.codebooks_head.weight", codebooks - 1, depth.hidden_size, vocabulary];
  yield* mimiConvs();
  yield* mimiTransformer("codec_model.encoder_transformer");
  yield* mimiTransformer("codec_model.decoder_transformer");
  yield* quantizer("semantic", mimi.num_semantic_quantizers);
  yield* quantizer("acoustic", codebooks - mimi.num_semantic_quantizers);
}

/**
 * Half width of a tensor's uniform distribution: activations and logits keep a sensible size.
 * @returns undefined: ones
 */
function scaleOf(name, [outer, ...inner]) {
  if (/norm\.weight$|cluster_usage$|initialized$/.test(name)) return undefined;
  if (name.endsWith("embed_tokens.weight") || name.endsWith("tokens.weight")) return 1;
  if (name.endsWith("bias")) return 0.05;
  if (name.endsWith("scale")) return 0.3;
  if (name.endsWith("codebooks_head.weight")) return 4 * Math.sqrt(3 / inner[0]);
  if (name === "lm_head.weight") return 4 * Math.sqrt(3 / inner[0]);
  if (name.endsWith("embed_sum")) return 1;
  if (name.endsWith("upsample.conv.weight")) return 1;
  const columns = inner.reduce((product, size) => product * size, 1);
  const transposedConv = /decoder\.layers\.\d+\.conv\.weight$/.test(name) && inner[1] > 7;
  return Math.sqrt(3 / (transposedConv ? 2 * outer : columns));
}

mkdirSync(folder, { recursive: true });
const weights = writeRandomSafetensors(
  path.join(folder, "model.safetensors"),
  [...tensors()].map(([name, ...shape]) => ({ name, shape, scale: scaleOf(name, shape) })),
  Number(values.seed),
);

// transformers wants a float where JSON.stringify writes a whole number
const configText = JSON.stringify(config, null, 2).replace(/("trim_right_ratio": \d+)(?![\d.])/, "$1.0");
writeFileSync(path.join(folder, "config.json"), configText + "\n");
for (const name of [
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
  "processor_config.json",
  "chat_template.jinja",
])
  copyFileSync(path.join(base, name), path.join(folder, name));
process.stdout.write(`${path.resolve(folder)}: ${weights} weights, ${2 * weights} bytes\n`);
