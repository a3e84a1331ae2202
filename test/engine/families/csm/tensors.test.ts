import path from "node:path";
import { describe, expect, it } from "vitest";
import { csmTypes } from "../../../../src/engine/families/csm/types.js";
import { readGguf } from "../../../../src/engine/formats/gguf-reader.js";
import type { GgufFile } from "../../../../src/engine/formats/gguf.js";
import { OUTPUT_TYPES } from "../../../../src/engine/tensors/output-type.js";
import { checkpointFloats } from "../../../helpers/checkpoint-floats.js";
import { convert, tensorBytes, useTemporaryFolders } from "../../convert/converted.js";
import { fixtureFolder } from "../texts.js";

const newFolder = useTemporaryFolders();

/** The checkpoint as float32 GGUF, and a reader of its tensors. */
async function converted(name: string) {
  const output = path.join(await newFolder(), "model.gguf");
  await convert(fixtureFolder(name), { type: "f32", output });
  const gguf = await readGguf(output, { purpose: "run" });
  return {
    gguf,
    floats: (tensor: string) => floatsOf(gguf, tensor),
    source: await checkpointFloats(fixtureFolder(name)),
  };
}

async function floatsOf(gguf: GgufFile, name: string) {
  const tensor = gguf.tensors.find((candidate) => candidate.name === name)!;
  const { buffer } = Uint8Array.from(await tensorBytes(gguf, tensor));
  return { dims: tensor.dims, data: new Float32Array(buffer) };
}

describe("csm tensors", () => {
  it.each(["csm-six", "csm-eight", "csm-thirtytwo"])("heads of %s are applied as h W", async (name) => {
    const { floats, source, gguf } = await converted(name);
    const head = source.get("depth_decoder.codebooks_head.weight")!;
    const [heads, hidden, vocabulary] = head.shape as [number, number, number];
    for (let k = 0; k < heads; k++) {
      const { dims, data } = await floats(`depth.output.${k + 1}.weight`);
      expect(dims).toEqual([hidden, vocabulary]);
      const wanted = data.map((_, at) => {
        const [row, column] = [Math.floor(at / hidden), at % hidden];
        return head.data[(k * hidden + column) * vocabulary + row]!;
      });
      expect(data).toEqual(wanted);
    }
    expect(gguf.tensors.some((tensor) => tensor.name === `depth.output.${heads + 1}.weight`)).toBe(false);
  });

  it("codebooks are the sums over the usage, a dead entry's clamped", async () => {
    const { floats, source } = await converted("csm-six");
    const parts = [
      ["semantic", 0, 0],
      ["acoustic", 0, 1],
      ["acoustic", 4, 5],
    ] as const;
    for (const [part, layer, k] of parts) {
      const name = `codec_model.quantizer.${part}_residual_vector_quantizer.layers.${layer}.codebook`;
      const sums = source.get(`${name}.embed_sum`)!;
      const usage = source.get(`${name}.cluster_usage`)!.data;
      expect(Math.min(...usage)).toBeLessThan(1e-5);
      const { dims, data } = await floats(`mimi.quant.codebook.${k}.weight`);
      expect(dims).toEqual([...sums.shape].reverse());
      for (const [at, value] of data.entries()) {
        const entry = usage[Math.floor(at / sums.shape[1]!)]!;
        expect(value).toBeCloseTo(sums.data[at]! / Math.max(entry, 1e-5), 4);
      }
    }
  });

  it("the depth decoder's table is there only when the checkpoint holds one", async () => {
    const names = async (name: string) => (await converted(name)).gguf.tensors.map((tensor) => tensor.name);
    expect(await names("csm-eight")).not.toContain("depth.audio_embd.weight");
    expect(await names("csm-six")).toContain("depth.audio_embd.weight");
  });

  it("carry tokenizer, template, sampling and sizes of all three parts", async () => {
    const { gguf } = await converted("csm-thirtytwo");
    const value = (key: string) => gguf.metadata.get(key)?.value;
    expect(value("general.architecture")).toBe("csm");
    expect(value("csm.embedding_length")).toBe(32);
    expect(value("csm.depth.block_count")).toBe(1);
    expect(value("csm.mimi.attention.sliding_window")).toBe(250);
    expect(value("csm.audio.codebook_count")).toBe(32);
    expect(value("csm.max_frames")).toBe(125);
    expect(value("general.sampling.temp")).toBeCloseTo(0.9, 6);
    expect(value("general.sampling.top_k")).toBe(50);
    expect(value("csm.depth.sampling.temp")).toBeCloseTo(0.9, 6);
    expect(value("csm.depth.sampling.top_k")).toBe(50);
    expect(value("tokenizer.ggml.pre")).toBe("llama-bpe");
    expect(value("tokenizer.chat_template")).toContain("<|AUDIO|>");
    expect(value("tokenizer.huggingface.json")).toContain("<|audio_eos|>");
  });
});

describe("csmTypes", () => {
  const tensors = [
    "token_embd.weight",
    "audio_embd.weight",
    "output.weight",
    ...["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].flatMap((part) =>
      ["", "depth."].map((prefix) => `${prefix}blk.0.${part}.weight`),
    ),
    "depth.audio_embd.weight",
    "depth.proj.weight",
    "depth.output.1.weight",
    "mimi.enc.conv_in.weight",
    "mimi.dec.blk.0.ffn_up.weight",
  ].map((name) => ({ name, dims: [256, 256] }));
  const vectors = ["blk.0.attn_norm.weight", "depth.output_norm.weight", "mimi.enc.conv_in.bias"].map(
    (name) => ({
      name,
      dims: [256],
    }),
  );
  const codebook = { name: "mimi.quant.codebook.3.weight", dims: [256, 16] };
  const typesOf = (type: (typeof OUTPUT_TYPES)[number], depthType?: (typeof OUTPUT_TYPES)[number]) => {
    const all = [...tensors, ...vectors, codebook];
    const types = csmTypes({ type, ...(depthType ? { depthType } : {}) }, all);
    return new Map(all.map(({ name }, i) => [name, types[i]!]));
  };

  it.each(OUTPUT_TYPES)(
    "%s reaches backbone and depth decoder; the codec stays in floating point",
    (type) => {
      const types = typesOf(type);
      const base = { q6_k: "Q6_K", q5_k_m: "Q5_K", q4_k_m: "Q4_K" }[type as string] ?? type.toUpperCase();
      for (const name of ["blk.0.attn_q.weight", "depth.blk.0.ffn_up.weight", "depth.proj.weight"])
        expect([name, types.get(name)]).toEqual([name, base]);
      for (const { name } of vectors) expect(types.get(name)).toBe("F32");
      expect(types.get(codebook.name)).toBe("F32");
      expect(types.get("mimi.enc.conv_in.weight")).toBe(type === "f32" ? "F32" : "F16");
      const tables = base.startsWith("Q") ? "Q8_0" : base;
      expect(types.get("audio_embd.weight")).toBe(tables);
      expect(types.get("token_embd.weight")).toBe(tables);
      expect(types.get("depth.audio_embd.weight")).toBe(tables);
    },
  );

  it("chooses the depth decoder's type apart", () => {
    const types = typesOf("q8_0", "q4_0");
    expect(types.get("blk.0.ffn_down.weight")).toBe("Q8_0");
    expect(types.get("output.weight")).toBe("Q8_0");
    expect(types.get("depth.blk.0.ffn_down.weight")).toBe("Q4_0");
    expect(types.get("depth.proj.weight")).toBe("Q4_0");
    expect(types.get("depth.output.1.weight")).toBe("Q6_K");
    expect(typesOf("q4_0", "f32").get("depth.audio_embd.weight")).toBe("F32");
  });

  it("falls back where rows have no whole blocks", () => {
    const uneven = ["blk.0.attn_q.weight", "audio_embd.weight"].map((name) => ({ name, dims: [48, 8] }));
    expect(csmTypes({ type: "q4_0" }, uneven)).toEqual(["F16", "F16"]);
  });
});
