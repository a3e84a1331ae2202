import { describe, expect, it } from "vitest";
import { bytesPerFrame, bytesPerToken } from "../../../src/engine/bench/weights-read.js";
import type { ModelTensor } from "../../../src/engine/inspect/open-model.js";

function tensors(sizes: Record<string, readonly [bytes: number, ...shape: number[]]>): ModelTensor[] {
  return Object.entries(sizes).map(([name, [bytes, ...shape]]) => {
    return { name, type: "F32", shape, bytes, file: "model.gguf", offset: 0 };
  });
}

describe("the weights that a token reads", () => {
  const layer = { "blk.0.attn_q.weight": [64, 4, 4], "output_norm.weight": [16, 4] } as const;

  it("are all but the embeddings, of which it reads a row", () => {
    const model = tensors({ "token_embd.weight": [1600, 100, 4], "output.weight": [1600, 100, 4], ...layer });
    expect(bytesPerToken(model)).toBe(16 + 1600 + 64 + 16);
  });

  it("are all where the embeddings are the output matrix too", () => {
    expect(bytesPerToken(tensors({ "token_embd.weight": [1600, 100, 4], ...layer }))).toBe(1600 + 64 + 16);
  });
});

it("a frame reads the backbone once and the depth decoder once per codebook but the first", () => {
  const model = tensors({
    "token_embd.weight": [1e6, 1000, 250],
    "audio_embd.weight": [1e6, 1000, 250],
    "blk.0.ffn_up.weight": [1, 1],
    "blk.11.attn_norm.weight": [10, 1],
    "output.weight": [100, 1],
    "output_norm.weight": [1000, 1],
    "depth.audio_embd.weight": [1e6, 1000, 250],
    "depth.blk.3.ffn_up.weight": [1e9, 1],
    "depth.proj.weight": [1e10, 1],
    "depth.output_norm.weight": [1e11, 1],
    "depth.output.1.weight": [1e4, 1],
    "depth.output.4.weight": [1e5, 1],
    "mimi.decoder.blk.0.attn_q.weight": [1e6, 1],
  });
  expect(bytesPerFrame(model, 5)).toBe(1111 + 4 * 111e9 + 11e4);
});
