import { describe, expect, it } from "vitest";
import { cacheCells, cacheSize } from "../../../src/engine/inspect/cache-size.js";
import { computeBufferBytes } from "../../../src/engine/inspect/compute-buffer.js";
import { placeWeights } from "../../../src/engine/inspect/repacked-weights.js";

const sizes = {
  layers: 12,
  hidden_size: 1536,
  feed_forward: 4096,
  heads: 12,
  key_value_heads: 4,
  head_dim: 128,
  value_dim: 128,
  context_length: 131_072,
};
const mixed = {
  window: 1024,
  layers: Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? ("full" as const) : ("sliding" as const))),
};
const full = { window: null, layers: Array.from({ length: 12 }, () => "full" as const) };
const usual = { batch: 513, sliding: "window" } as const;

/** Buffer sizes that llama.cpp logged for random models of these shapes, in bytes (rounded to 0.01 MiB). */
describe("the cache", () => {
  it.each([
    [4096, "f16", "window", 58_195_968],
    [32_768, "f16", "window", 234_356_736],
    [131_072, "f16", "window", 838_336_512],
    [8192, "f32", "window", 166_723_584],
    [8192, "f16", "whole", 201_326_592],
    [16_384, "q8_0", "window", 71_020_052],
  ] as const)(
    "of %i tokens in %s, %s, has the size that llama.cpp logs",
    (context, type, sliding, logged) => {
      const { total } = cacheSize(sizes, mixed, context, { type, sliding, batch: 513 });
      expect(Math.abs(total - logged)).toBeLessThan(10_486);
    },
  );

  it("is that of the whole context where it is shorter than the window", () => {
    expect(cacheCells(mixed, 512, usual)).toEqual({ full: 512, sliding: 512 });
    expect(cacheCells(full, 1000, usual)).toEqual({ full: 1024, sliding: 0 });
  });
});

describe("the compute buffer", () => {
  it.each([
    ["windows, 1,024 tokens", mixed, 1024, "on", 65_536, 152_525_865],
    ["windows, 4,096 tokens", mixed, 4096, "on", 65_536, 153_155_011],
    ["windows, 131,072 tokens", mixed, 131_072, "on", 65_536, 174_168_474],
    ["windows, no fused attention", mixed, 8192, "off", 65_536, 242_179_113],
    ["no windows", full, 32_768, "on", 49_152, 106_954_752],
    ["no windows, no fused attention", full, 16_384, "off", 49_152, 452_995_318],
  ] as const)(
    "is within a tenth of what llama.cpp logs, hardly less: %s",
    (_, attention, context, flash, vocabulary, logged) => {
      const feedForward = attention === full ? 5120 : 4096;
      const bytes = computeBufferBytes({ ...sizes, feed_forward: feedForward }, attention, {
        cells: cacheCells(attention, context, usual),
        batch: 513,
        flashAttention: flash,
        vocabulary,
      });
      expect(bytes / logged).toBeGreaterThan(0.98);
      expect(bytes / logged).toBeLessThan(1.1);
    },
  );
});

describe("placeWeights", () => {
  const tensor = (name: string, type: string, rows: number, bytes: number) => {
    return { name, type, shape: [rows, 256], file: "", offset: 0, bytes };
  };
  const tensors = [
    tensor("token_embd.weight", "Q4_0", 512, 100),
    tensor("blk.0.attn_q.weight", "Q4_0", 256, 10),
    tensor("blk.0.attn_k.weight", "Q4_0", 12, 5),
    tensor("blk.0.ffn_up.weight", "Q8_0", 256, 20),
    tensor("blk.0.ffn_down.weight", "Q4_0", 256, 40),
  ];

  it("copies what is multiplied with, and lets go of what lies behind the last tensor that stays", () => {
    expect(placeWeights(tensors, "x64")).toEqual({ mapped: 135, repacked: 50 });
    expect(placeWeights(tensors, "arm64")).toEqual({ mapped: 100, repacked: 75 });
    expect(placeWeights(tensors, "riscv64")).toEqual({ mapped: 175, repacked: 0 });
  });
});
