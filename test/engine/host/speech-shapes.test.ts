import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NativeSpeech } from "../../../src/engine/host/speech-binding.js";
import { OUTPUT_TYPES, type OutputType } from "../../../src/engine/tensors/output-type.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { loadNative, loadSpeech, speakAll } from "../../helpers/speech.js";

/** Sizes that differ from the fixtures' and from each other; heads as [query heads, key and value heads, size]. */
interface Shape {
  codebooks: number;
  codebookSize: number;
  hidden: number;
  ffn: number;
  layers: number;
  heads: [number, number, number];
  depth: { hidden: number; ffn: number; layers: number; heads: [number, number, number] };
  mimi: Record<string, number | number[]>;
}

const SHAPES: Record<string, Shape> = {
  // rows of every quantised type's blocks, several tiles
  "whole blocks": {
    codebooks: 5,
    codebookSize: 64,
    hidden: 256,
    ffn: 768,
    layers: 2,
    heads: [8, 2, 64],
    depth: { hidden: 256, ffn: 512, layers: 2, heads: [2, 1, 128] },
    mimi: { hidden_size: 64, intermediate_size: 96, num_attention_heads: 2, head_dim: 32 },
  },
  // rows that only some of the types can store: others stand in
  "mixed blocks": {
    codebooks: 4,
    codebookSize: 16,
    hidden: 288,
    ffn: 512,
    layers: 1,
    heads: [5, 5, 34],
    depth: { hidden: 96, ffn: 288, layers: 1, heads: [9, 1, 22] },
    mimi: {
      ...{ hidden_size: 32, intermediate_size: 64, num_attention_heads: 4, head_dim: 10 },
      ...{ upsampling_ratios: [2, 9], num_residual_layers: 3, dilation_growth_rate: 3, sliding_window: 1 },
    },
  },
  // nothing fits blocks or vector widths
  "odd sizes": {
    codebooks: 2,
    codebookSize: 8,
    hidden: 33,
    ffn: 51,
    layers: 3,
    heads: [6, 2, 2],
    depth: { hidden: 7, ffn: 19, layers: 1, heads: [3, 1, 14] },
    mimi: {
      ...{
        hidden_size: 15,
        intermediate_size: 17,
        num_attention_heads: 3,
        num_key_value_heads: 3,
        head_dim: 4,
      },
      ...{ upsample_groups: 5, codebook_dim: 15, num_filters: 5, upsampling_ratios: [3], kernel_size: 1 },
      ...{ last_kernel_size: 2, num_residual_layers: 0, sliding_window: 3 },
    },
  },
};

const mimiDefaults = { num_hidden_layers: 1, num_filters: 4, codebook_dim: 8, sliding_window: 7 };

function settings(shape: Shape): string[] {
  const { depth, mimi, heads } = shape;
  const values: Record<string, unknown> = {
    num_codebooks: shape.codebooks,
    vocab_size: shape.codebookSize + 3,
    hidden_size: shape.hidden,
    intermediate_size: shape.ffn,
    num_hidden_layers: shape.layers,
    num_attention_heads: heads[0],
    num_key_value_heads: heads[1],
    head_dim: heads[2],
    "depth_decoder_config.hidden_size": depth.hidden,
    "depth_decoder_config.intermediate_size": depth.ffn,
    "depth_decoder_config.num_hidden_layers": depth.layers,
    "depth_decoder_config.num_attention_heads": depth.heads[0],
    "depth_decoder_config.num_key_value_heads": depth.heads[1],
    "depth_decoder_config.head_dim": depth.heads[2],
  };
  const codec = {
    ...mimiDefaults,
    upsample_groups: mimi.hidden_size,
    num_key_value_heads: mimi.num_attention_heads,
    codebook_size: shape.codebookSize,
    ...mimi,
  };
  for (const [key, value] of Object.entries(codec)) values[`codec_config.${key}`] = value;
  return Object.entries(values).flatMap(([key, value]) => ["--set", `${key}=${JSON.stringify(value)}`]);
}

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(Object.entries(SHAPES))("%s", (name, shape) => {
  let checkpoint: string;
  const converted = new Map<OutputType, Promise<string>>();
  const fileOf = (type: OutputType): Promise<string> => {
    const file = converted.get(type) ?? convertTo(folder, checkpoint, type);
    converted.set(type, file);
    return file;
  };
  beforeAll(async () => {
    checkpoint = path.join(folder, name.replace(" ", "-"));
    const script = repositoryFile("scripts/make-random-csm.mjs");
    await promisify(execFile)(process.execPath, [script, checkpoint, ...settings(shape)]);
  });

  // A prompt with frames in it: seven positions, three of them audio.
  const tokens = Int32Array.of(1, 9, -1, -1, 4, -1, 30);
  const codes = Int32Array.from(
    { length: 3 * shape.codebooks },
    (_, i) => (i * 5) % (shape.codebookSize + 3),
  );
  const clip = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i / 5) * Math.cos(i / 31));

  /** Everything that can be compared of one way to compute. */
  async function look(native: NativeSpeech): Promise<Record<string, Float32Array>> {
    const backbone = await native.backbone(tokens, codes);
    const hidden = backbone.states.slice(-3 * shape.hidden);
    const depth = await native.depth(hidden, codes);
    const encoded = await native.codecStages(clip);
    const decoded = await native.codecStages(codes.map((code) => code % shape.codebookSize));
    return {
      "backbone states": backbone.states,
      "backbone logits": backbone.logits,
      "depth states": depth.states,
      "depth logits": depth.logits,
      ...encoded,
      ...decoded,
    };
  }

  it.each(OUTPUT_TYPES)("computes with %s weights what ggml computes", async (type) => {
    const file = await fileOf(type);
    const [fused, plain] = [
      await loadNative(file, { plain: false }),
      await loadNative(file, { plain: true }),
    ];
    const [ours, theirs] = [await look(fused.native), await look(plain.native)];
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    // Quantised products round their input, each in its own way; ggml's other products with f16 and bf16 round it too.
    const most = type === "f32" ? 1e-10 : 2e-3;
    for (const [part, values] of Object.entries(ours)) {
      expect(values.every(Number.isFinite), part).toBe(true);
      expect(nmse(values, theirs[part]!), part).toBeLessThan(most);
    }
    fused.native.dispose();
    plain.native.dispose();
  });

  it("computes on the CPU where the engine knows no GPU", async () => {
    const file = await fileOf("q8_0");
    const [usual, asked] = [
      await loadNative(file, { plain: false }),
      await loadNative(file, { plain: false, gpu: true }),
    ];
    expect(asked.facts).toEqual(usual.facts);
    expect(asked.facts.device).not.toBe("");
    expect(await look(asked.native)).toEqual(await look(usual.native));
    usual.native.dispose();
    asked.native.dispose();
  });

  it.each(["f32", "q4_0", "q4_k_m", "q8_0"] as const)(
    "gives with %s weights each of a batch what it gets alone, on one thread or two",
    async (type) => {
      const file = await fileOf(type);
      const many = Array.from({ length: 9 }, (_, i) => ({
        tokens: Int32Array.from({ length: 1 + ((i * 5) % 7) }, (_, t) => (t * 3 + i) % 200),
        codes: new Int32Array(0),
        seed: i,
        maxFrames: 2 + (i % 4) * 3,
      }));
      const sampling = { temperature: 0.9, topK: 0, depthTemperature: 0.9, depthTopK: 3 };
      const one = await loadSpeech(file, { plain: false });
      const two = await loadSpeech(file, { plain: false, threads: 2 });
      const alone = [];
      for (const utterance of many) alone.push(...(await speakAll(one, [utterance], { sampling })));
      for (const width of [3, 9]) {
        expect(await speakAll(one, many, { sampling, width })).toEqual(alone);
        expect(await speakAll(two, many, { sampling, width })).toEqual(alone);
      }
      one.dispose();
      two.dispose();
    },
  );
});
