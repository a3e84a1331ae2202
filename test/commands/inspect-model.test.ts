import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runConversion } from "../../src/engine/client/run-conversion.js";
import type { GgufValue } from "../../src/engine/formats/gguf.js";
import { readGguf } from "../../src/engine/formats/gguf-reader.js";
import { layoutGguf } from "../../src/engine/formats/gguf-writer.js";
import type { Overview } from "../../src/engine/inspect/overview.js";
import type { TensorStats } from "../../src/engine/inspect/tensor-stats.js";
import { startHub, temporaryFolder as hubFolder, variablesFor } from "../engine/hub/hub-fixture.js";
import { makeRepo, noise, type FileRecipe } from "../engine/hub/server/served-repo.js";
import { editSafetensors } from "../helpers/edit-safetensors.js";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fixture = (name: string): string => repositoryFile("test/fixtures", name);

async function document<Document>(...args: string[]): Promise<Document> {
  const run = await runParley(["inspect", ...args, "--json"]);
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(run.stdout) as Document;
}

async function page(...args: string[]): Promise<string> {
  const run = await runParley(["inspect", ...args]);
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
  expect(run.stdout).not.toContain("\u001b");
  return run.stdout;
}

/** A copy of a checkpoint with other values in its config.json. */
async function edited(name: string, changes: object): Promise<string> {
  const copy = path.join(folder, `edited-${Object.keys(changes).join("-")}`);
  await cp(fixture(name), copy, { recursive: true });
  const config = JSON.parse(await readFile(path.join(copy, "config.json"), "utf8")) as object;
  await writeFile(path.join(copy, "config.json"), JSON.stringify({ ...config, ...changes }));
  return copy;
}

/** The same GGUF file as another tool would have written it: its weights are zeros, the keys of parley's own are gone. */
async function withoutOwnKeys(file: string, changes: Record<string, GgufValue> = {}): Promise<string> {
  const { metadata, tensors } = await readGguf(file, { purpose: "inspect" });
  const kept = new Map([...metadata].filter(([key]) => !key.startsWith("parley.")));
  for (const [key, value] of Object.entries(changes)) kept.set(key, value);
  const { header, totalBytes } = layoutGguf({ metadata: kept, tensors });
  const copy = file.replace(/\.gguf$/, "-foreign.gguf");
  await writeFile(copy, header);
  await truncate(copy, totalBytes);
  return copy;
}

describe("parley inspect MODEL", () => {
  it("says the same of a checkpoint and of the GGUF file made from it", async () => {
    for (const name of ["cwm-irregular", "glm-wide-heads", "csm-six"]) {
      const checkpoint = await document<Overview>(fixture(name));
      const gguf = await document<Overview>(await convertTo(folder, fixture(name), "f32"));
      for (const key of [
        "family",
        "architecture",
        "sizes",
        "attention",
        "cache",
        "template",
        "licence",
        "generation",
      ] as const)
        expect(gguf[key], `${name}: ${key}`).toEqual(checkpoint[key]);
      expect(gguf.tokenizer.end_ids.length).toBeGreaterThan(0);
      expect(checkpoint.format).toBe("safetensors");
      expect(gguf).toMatchObject({ format: "gguf", type: "f32" });
    }
  });

  it("draws attention as a strip and gives the cache with and without the window", async () => {
    const text = await page(fixture("cwm-irregular"));
    const { attention, cache } = await document<Overview>(fixture("cwm-irregular"));
    const strip = attention.layers.map((kind) => (kind === "full" ? "█" : "░")).join("");
    expect(attention.layers).toContain("sliding");
    expect(text).toContain(strip);
    expect(text).toMatch(/8,192 tokens .*without the window/);
    expect(cache[0]!.bytes).toBeLessThan(cache[0]!.bytes_without_window);
  });

  it("counts the cache as llama.cpp lays it out", async () => {
    // 5 layers, 2 key and value heads of 8 elements, float16; window 8 and batch 512 round up to 768 cells
    const { attention, cache } = await document<Overview>(fixture("cwm-regular"));
    const full = attention.layers.filter((kind) => kind === "full").length;
    const perCell = 2 * (8 + 8) * 2;
    expect(cache).toEqual([
      {
        tokens: 8192,
        bytes: (full * 8192 + (5 - full) * 768) * perCell,
        bytes_without_window: 5 * 8192 * perCell,
      },
    ]);
  });

  it("draws the parts of a CSM, whose tensors belong to one each", async () => {
    const text = await page(fixture("csm-eight"));
    const { parts, parameters } = await document<Overview>(fixture("csm-eight"));
    expect(parts.map(({ name }) => name)).toEqual(["backbone", "depth decoder", "Mimi"]);
    expect(text.indexOf("backbone")).toBeLessThan(text.indexOf("depth decoder"));
    expect(text.indexOf("depth decoder")).toBeLessThan(text.indexOf("Mimi"));
    expect(parts.reduce((sum, part) => sum + part.parameters, 0)).toBe(parameters);
    expect(parts[2]).toMatchObject({ codebooks: 8, sample_rate: 24000, frames_per_second: 12.5 });
    expect(text).toContain("8 codes per frame");
  });

  it("reads the parts of a split file", async () => {
    const output = path.join(folder, "split.gguf");
    const request = { source: fixture("cwm-regular"), output, type: "f32", splitMaxBytes: 100_000 } as const;
    for await (const _ of runConversion(request, engineFolder));
    const first = (await readdir(folder)).filter((name) => name.startsWith("split-00001")).at(0)!;
    const whole = await document<Overview>(fixture("cwm-regular"));
    const split = await document<Overview>(path.join(folder, first));
    expect(split.files).toBeGreaterThan(1);
    // the frequency table is computed at conversion
    expect(split.parameters).toBe(whole.parameters + 4);
  });

  it("reads files of other tools, which keep sizes and no configuration", async () => {
    for (const name of ["cwm-irregular", "glm-wide-heads"]) {
      const own = await convertTo(folder, fixture(name), "f32");
      const foreign = await withoutOwnKeys(own);
      const [expected, found] = [await document<Overview>(own), await document<Overview>(foreign)];
      for (const key of ["sizes", "attention", "cache", "parameters", "generation", "template"] as const)
        expect(found[key], `${name}: ${key}`).toEqual(expected[key]);
      const diff = await document<{ differences: unknown[]; equal: number; unknown: number }>(
        "config",
        fixture(name),
        "--diff",
        foreign,
      );
      expect(diff.differences).toEqual([]);
      expect(diff.equal).toBeGreaterThanOrEqual(10);
      expect(diff.unknown).toBeGreaterThan(10);
    }
  });

  it("survives sizes that cannot be", async () => {
    const file = await convertTo(folder, fixture("cwm-irregular"), "f32");
    const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
    const many = await withoutOwnKeys(file, { "cwm.block_count": uint32(4e9) });
    const refused = await runParley(["inspect", many, "--json"]);
    expect(refused.code).toBe(65);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "LIMIT_LAYERS" } });
    const strange = await withoutOwnKeys(file, {
      "cwm.attention.head_count": uint32(0),
      "cwm.attention.key_length": { type: "float32", value: 0.5 },
      "cwm.context_length": uint32(4e9),
      "cwm.attention.sliding_window_pattern": { type: "string", value: "x" },
    });
    for (const topic of [[], ["config"], ["memory"], ["memory", "--kv-type", "q8_0"], ["tensors"]]) {
      const [command = [], ...flags] = topic;
      const run = await runParley(["inspect", ...[command].flat(), strange, ...flags]);
      expect({ topic, code: run.code, stderr: run.stderr }).toEqual({ topic, code: 0, stderr: "" });
    }
  });

  it("shows labels of a classifier and lets no escape sequence through", async () => {
    const id2label = { 0: "\u001b]0;owned\u0007", 1: "B", 2: "C", 3: "D", 4: "E" };
    const copy = await edited("glm-token-classification", { id2label });
    await writeFile(path.join(copy, "README.md"), "---\nlicense: mit\u001b[31m\n---\n");
    const text = await page(copy);
    expect(text).toContain("5: \\x1b]0;owned\\x07, B, C, D, E");
    expect(text).toContain("mit\\x1b[31m");
  });

  it.each([
    ["a folder without weights", "empty", 66, "CHECKPOINT_NOT_FOUND"],
    ["an unknown architecture", "llama", 65, "UNSUPPORTED_ARCH"],
    ["nothing", "./nothing.gguf", 66, "MODEL_NOT_FOUND"],
  ])("refuses %s", async (_, name, exit, code) => {
    await mkdir(path.join(folder, "empty"), { recursive: true });
    await writeFile(path.join(folder, "empty", "config.json"), '{"architectures":["CwmForCausalLM"]}');
    if (name === "llama")
      await cp(
        await edited("cwm-regular", { architectures: ["LlamaForCausalLM"] }),
        path.join(folder, name),
        { recursive: true },
      );
    const run = await runParley(["inspect", name.startsWith(".") ? name : path.join(folder, name), "--json"]);
    expect(run.code).toBe(exit);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
  });

  it("reads headers only of a model on the Hub, and writes no weights", async () => {
    const server = await startHub();
    const recipes: Record<string, FileRecipe | string> = { LICENSE: "x" };
    const local = repositoryFile("models", "pocket-cwm");
    for (const name of await readdir(local))
      recipes[name] = { content: await readFile(path.join(local, name)) };
    // one tensor of 6 MB: five times what a window of the reader holds
    const rows = 20_000;
    const large = path.join(folder, "large");
    await cp(local, large, { recursive: true });
    await editSafetensors(path.join(large, "model.safetensors"), (tensors) =>
      tensors.map((tensor) =>
        tensor.name === "model.embed_tokens.weight"
          ? { ...tensor, shape: [rows, tensor.shape[1]!], data: noise(rows * tensor.shape[1]! * 2) }
          : tensor,
      ),
    );
    const config = JSON.parse(await readFile(path.join(local, "config.json"), "utf8")) as object;
    recipes["config.json"] = JSON.stringify({ ...config, vocab_size: rows });
    recipes["model.safetensors"] = {
      content: await readFile(path.join(large, "model.safetensors")),
      storage: "lfs",
    };
    const repo = server.add(makeRepo("org/tiny", recipes));
    const home = await hubFolder();
    const env = { ...variablesFor(server, home), HF_HUB_OFFLINE: "", HF_HUB_DOWNLOAD_TIMEOUT: "20" };
    for (const args of [[], ["config"], ["tensors"], ["memory"]]) {
      const run = await runParley(["inspect", ...args, "org/tiny", "--json"], { env });
      expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
      if (args.length === 0)
        expect(JSON.parse(run.stdout)).toMatchObject({
          model: "org/tiny",
          revision: repo.commit,
          family: "cwm",
        });
    }
    const weights = server.contentRequests("model.safetensors");
    expect(weights.length).toBeGreaterThan(0);
    for (const { headers, sentBytes } of weights) {
      expect(headers.range).toBeDefined();
      expect(sentBytes).toBeLessThan(1_000_000);
    }
    expect(server.contentRequests("tokenizer.json")).toEqual([]);
    expect((await readdir(home, { recursive: true })).filter((name) => name.includes("blobs"))).toEqual([]);
    const stats = await runParley(["inspect", "tensors", "org/tiny", "--stats", "--json"], { env });
    expect(stats.code).toBe(2);
    expect(JSON.parse(stats.stdout)).toMatchObject({ error: { code: "STATS_REMOTE" } });
    const offline = await runParley(["inspect", "org/tiny", "--offline", "--json"], {
      env: { ...env, HOME: folder },
    });
    expect(offline.code).toBe(69);
  });
});

interface ConfigDocument {
  values: { key: string; value: unknown; origin: string; meaning: string }[];
}

describe("parley inspect config", () => {
  it("gives key, value, origin and meaning, the parts of a CSM under their own names", async () => {
    const { values } = await document<ConfigDocument>("config", fixture("csm-six"));
    const find = (key: string) => values.find((value) => value.key === key);
    expect(find("num_codebooks")).toMatchObject({ value: 6, origin: "file" });
    expect(find("depth_decoder_config.vocab_size")?.value).toBe(find("vocab_size")?.value);
    expect(find("codec_config.sliding_window")?.value).toBe(9);
    const text = await page("config", fixture("csm-six"));
    expect(text).toMatch(/^codec_config$/m);
    expect(text).toMatch(/^sliding_window +9 +file +steps that the transformers see/m);
  });

  it("names a wrong value and what is allowed, with exit code 65", async () => {
    const copy = await edited("cwm-regular", { num_key_value_heads: 3 });
    const run = await runParley(["inspect", "config", copy]);
    expect(run.code).toBe(65);
    expect(run.stderr).toContain('"num_key_value_heads" must be a divisor of the 4 attention heads, found 3');
  });

  it("compares two models by value, also a checkpoint and a GGUF file", async () => {
    const gguf = await convertTo(folder, fixture("cwm-regular"), "f16");
    const same = await document<object>("config", fixture("cwm-regular"), "--diff", gguf);
    expect(same).toMatchObject({ differences: [], unknown: 0 });
    const other = await document<{ differences: { key: string; left: unknown; right: unknown }[] }>(
      "config",
      fixture("cwm-regular"),
      "--diff",
      await edited("cwm-regular", { sliding_window: 5 }),
    );
    expect(other.differences).toEqual([
      expect.objectContaining({
        key: "sliding_window",
        left: { value: 8, origin: "file" },
        right: { value: 5, origin: "file" },
      }),
    ]);
  });
});

interface TensorsDocument {
  tensors: { name: string; type: string; shape: number[]; bytes: number; stats?: TensorStats | null }[];
  bytes: number;
}

describe("parley inspect tensors", () => {
  it("lists tensors that match a pattern", async () => {
    const { tensors } = await document<TensorsDocument>(
      "tensors",
      fixture("cwm-regular"),
      "--filter",
      "*.1.mlp.*",
    );
    expect(tensors).toEqual([
      { name: "model.layers.1.mlp.down_proj.weight", type: "F32", shape: [32, 64], bytes: 8192 },
      { name: "model.layers.1.mlp.gate_proj.weight", type: "F32", shape: [64, 32], bytes: 8192 },
      { name: "model.layers.1.mlp.up_proj.weight", type: "F32", shape: [64, 32], bytes: 8192 },
    ]);
    const none = await runParley(["inspect", "tensors", fixture("cwm-regular"), "--filter", "nothing"]);
    expect(none.code).toBe(66);
  });

  it("gives the numbers of float weights, those of a GGUF file and its checkpoint alike", async () => {
    const copy = path.join(folder, "nan");
    await cp(fixture("cwm-regular"), copy, { recursive: true });
    await editSafetensors(path.join(copy, "model.safetensors"), (tensors) =>
      tensors.map((tensor) => {
        if (tensor.name !== "model.norm.weight") return tensor;
        const values = new Float32Array(32).fill(2);
        values.set([NaN, Infinity, 5], 0);
        return { ...tensor, data: Buffer.from(values.buffer) };
      }),
    );
    const { tensors } = await document<TensorsDocument>(
      "tensors",
      copy,
      "--stats",
      "--filter",
      "model.norm*",
    );
    const stats = tensors[0]!.stats!;
    expect(stats).toMatchObject({ min: 2, max: 5, nan: 1, inf: 1 });
    expect(stats.mean).toBeCloseTo(2.1, 12);
    expect(stats.std).toBeCloseTo(Math.sqrt((29 * 0.1 ** 2 + 2.9 ** 2) / 30), 12);
    const gguf = await convertTo(folder, copy, "f32");
    const converted = await document<TensorsDocument>("tensors", gguf, "--stats", "--filter", "output_norm*");
    expect(converted.tensors[0]!.stats).toEqual(stats);
    expect(await page("tensors", copy, "--stats")).toContain("model.norm.weight holds 1 infinite values");
  });

  it("expands quantised weights: the numbers are those of the blocks in the file", async () => {
    const gguf = await convertTo(folder, fixture("cwm-regular"), "q8_0");
    const args = ["tensors", gguf, "--stats", "--filter", "blk.2.attn_q.weight"];
    const run = await runParley(["inspect", ...args, "--json"], {
      env: { PARLEY_ENGINE: await engineFolder() },
    });
    const { tensors } = JSON.parse(run.stdout) as TensorsDocument;
    expect(tensors[0]).toMatchObject({ type: "Q8_0", shape: [32, 32] });
    const bytes = await readFile(gguf);
    // Q8_0: a float16 scale and 32 signed bytes; find the tensor by its place in the list
    const { offset, bytes: size } = (await readGguf(gguf, { purpose: "inspect" })).tensors.find(
      ({ name }) => name === "blk.2.attn_q.weight",
    )!;
    const values: number[] = [];
    for (let block = offset; block < offset + size; block += 34) {
      const half = bytes.readUInt16LE(block);
      const scale = (1 + (half & 0x3ff) / 1024) * 2 ** ((half >> 10) - 15);
      for (let i = 0; i < 32; i++) values.push(Math.fround(scale * bytes.readInt8(block + 2 + i)));
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const stats = tensors[0]!.stats!;
    expect(stats).toMatchObject({ min: Math.min(...values), max: Math.max(...values), nan: 0 });
    expect(stats.mean).toBeCloseTo(mean, 10);
  });
});

interface MemoryDocument {
  type: string;
  rows: Record<
    "context" | "weights" | "cache_full" | "cache_sliding" | "compute" | "process" | "total" | "gpu",
    number
  >[];
}

describe("parley inspect memory", () => {
  it("adds up, for the contexts asked for", async () => {
    const { rows, type } = await document<MemoryDocument>(
      "memory",
      fixture("cwm-regular"),
      "--ctx",
      "1024,max",
    );
    expect(type).toBe("f32");
    expect(rows.map(({ context }) => context)).toEqual([1024, 16384]);
    for (const row of rows) {
      const { repacked = 0 } = row as { repacked?: number };
      expect(row.total).toBe(
        row.weights + repacked + row.cache_full + row.cache_sliding + row.compute + row.process,
      );
    }
    expect(rows[1]!.cache_full).toBe(16 * rows[0]!.cache_full);
    expect(rows[1]!.cache_sliding).toBe(rows[0]!.cache_sliding);
  });

  it("follows --kv-type, --swa-full, --type and --gpu-layers", async () => {
    const model = fixture("cwm-regular");
    const [usual] = (await document<MemoryDocument>("memory", model, "--ctx", "8192")).rows;
    const [exact] = (await document<MemoryDocument>("memory", model, "--ctx", "8192", "--kv-type", "f32"))
      .rows;
    const [whole] = (await document<MemoryDocument>("memory", model, "--ctx", "8192", "--swa-full")).rows;
    const [half] = (await document<MemoryDocument>("memory", model, "--ctx", "8192", "--type", "f16")).rows;
    const [gpu] = (await document<MemoryDocument>("memory", model, "--ctx", "8192", "--gpu-layers", "2"))
      .rows;
    expect(exact!.cache_full).toBe(2 * usual!.cache_full);
    expect(exact!.compute).toBeGreaterThan(usual!.compute);
    expect(whole!.cache_sliding).toBeGreaterThan(5 * usual!.cache_sliding);
    expect(half!.weights).toBeLessThan(0.6 * usual!.weights);
    expect(usual!.gpu).toBe(0);
    expect(gpu!.gpu).toBeGreaterThan(0);
    expect(gpu!.gpu).toBeLessThan(gpu!.total);
  });

  it("refuses contexts that are none", async () => {
    for (const context of ["0", "x", "1,,2", "-5"]) {
      const run = await runParley(["inspect", "memory", fixture("cwm-regular"), "--ctx", context]);
      expect(run.code).toBe(2);
    }
  });
});
