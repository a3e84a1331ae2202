import { rm, stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpeechRun } from "../../src/engine/bench/bench-speech.js";
import type { TextRun } from "../../src/engine/bench/bench-text.js";
import type { MemoryUse } from "../../src/engine/bench/memory-use.js";
import type { Spread } from "../../src/engine/bench/spread.js";
import { convertTo, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley, type RunOptions } from "../helpers/run-parley.js";

interface Document<Run> {
  model: string;
  family: string;
  type: string;
  gpu: string | false;
  threads: number;
  rounds: number;
  timings: Record<string, number>;
  runs: Run[];
  memory: MemoryUse & { bytes_per_token: number; bytes_per_frame: number };
}

async function output(args: string[], options: RunOptions = {}): Promise<string> {
  const run = await runParley(["bench", ...args], options);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  return run.stdout;
}

async function document<Run>(args: string[], options: RunOptions = {}): Promise<Document<Run>> {
  return JSON.parse(await output([...args, "--json"], options)) as Document<Run>;
}

function expectSpread({ median, min, max }: Spread): void {
  expect(min).toBeGreaterThan(0);
  expect(median).toBeGreaterThanOrEqual(min);
  expect(max).toBeGreaterThanOrEqual(median);
}

/** Is the share what the two rates make, and the rate what the steps make? */
function expectMemory(memory: MemoryUse, bytes: number, stepsPerSecond: number): void {
  const rate = (bytes * stepsPerSecond) / 1e9;
  expect(memory.gigabytes_per_second).toBeCloseTo(rate, 2);
  expect(memory.machine_gigabytes_per_second).toBeGreaterThan(0);
  expect(memory.share).toBeCloseTo(memory.gigabytes_per_second / memory.machine_gigabytes_per_second!, 2);
}

describe("parley bench of a model that writes", () => {
  const small = ["--prompt", "24,8", "--generate", "12", "--gpu", "off"];

  it("measures every prompt, and gives the figures of the first as chat does", async () => {
    const bench = await document<TextRun>(["pocket-cwm", "--type", "f32", ...small]);
    expect(bench).toMatchObject({ family: "cwm", type: "f32", gpu: false, threads: 1, rounds: 3 });
    const names = ["first_token_ms", "prompt_per_second", "tokens_per_second"] as const;
    expect(Object.keys(bench.timings)).toEqual(["load_ms", ...names]);
    expect(bench.timings.load_ms).toBeGreaterThan(0);
    expect(bench.runs.map((run) => [run.prompt_tokens, run.completion_tokens])).toEqual([
      [24, 12],
      [8, 12],
    ]);
    for (const run of bench.runs) {
      for (const name of names) expectSpread(run[name]);
      // the whole prompt is read in every round, and nothing of it comes from the cache
      const { median, min, max } = run.prompt_per_second;
      expect((median * run.first_token_ms.median) / 1000 / run.prompt_tokens).toBeCloseTo(1, 2);
      expect((min * run.first_token_ms.max) / 1000 / run.prompt_tokens).toBeCloseTo(1, 2);
      expect((max * run.first_token_ms.min) / 1000 / run.prompt_tokens).toBeCloseTo(1, 2);
    }
    for (const name of names) expect(bench.timings[name]).toBe(bench.runs[0]![name].median);

    // the embeddings are the output matrix too, so that a token reads the file without its metadata
    const { size } = await stat(bench.model);
    expect(bench.memory.bytes_per_token).toBeGreaterThan(size * 0.98);
    expect(bench.memory.bytes_per_token).toBeLessThan(size);
    const fastest = Math.max(...bench.runs.map((run) => run.tokens_per_second.median));
    expectMemory(bench.memory, bench.memory.bytes_per_token, fastest);
  });

  it("prints a table", async () => {
    const lines = (await output(["-m", "pocket-cwm", "--repeat", "1", ...small])).split("\n");
    expect(lines[0]).toMatch(
      /^pocket-cwm-bf16\.gguf, bf16, CPU, 1 thread, 1 round: medians, and from least to most$/,
    );
    const rate = String.raw` +[\d,.]+  tokens/s  [\d,.]+ to [\d,.]+`;
    const time = String.raw` +[\d,.]+  ms`;
    const reading = (tokens: number) => [
      `reading ${tokens} tokens${rate}`,
      `first token after them${time} +[\\d,.]+ to [\\d,.]+`,
      `writing 12 tokens${rate}`,
    ];
    const rows = [
      `load${time}`,
      ...reading(24),
      ...reading(8),
      String.raw`weights +[\d.]+  MB +read for each token`,
      String.raw`memory +[\d.]+  GB/s +\d+ % of the [\d.]+ GB/s that 1 thread reads here`,
    ];
    for (const [i, row] of rows.entries()) expect(lines[i + 1]).toMatch(new RegExp(`^${row}$`));
    expect(lines.slice(rows.length + 1)).toEqual([""]);
  });

  it("takes a shorter prompt where the context has no room for the usual one", async () => {
    const bench = await document<TextRun>(["--repeat", "1", "--generate", "2000"], {
      env: { PARLEY_MODEL: "pocket-cwm" },
    });
    expect(bench.runs[0]).toMatchObject({ prompt_tokens: 47, completion_tokens: 2000 });
  });

  it("ends on Ctrl-C with 130 and prints nothing", async () => {
    const run = await runParley(["bench", "pocket-cwm", "--repeat", "1000", "--generate", "1000"], {
      onStart: async (kill) => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        kill("SIGINT");
      },
    });
    expect([run.code, run.stdout, run.stderr]).toEqual([130, "", ""]);
  });
});

describe("parley bench of a model that speaks", () => {
  it("measures one utterance and the codec", async () => {
    const bench = await document<SpeechRun>([
      "pocket-csm",
      "--frames",
      "12",
      "--repeat",
      "1",
      "--gpu",
      "off",
    ]);
    expect(bench).toMatchObject({
      family: "csm",
      gpu: false,
      threads: 1,
      rounds: 1,
      frames: 12,
      seconds: 0.96,
    });
    const names = [
      "first_audio_ms",
      "frame_ms",
      "rtf",
      "encode_ms_per_second",
      "decode_ms_per_second",
    ] as const;
    expect(Object.keys(bench.timings)).toEqual(["load_ms", ...names]);
    const [run] = bench.runs;
    for (const name of names) {
      expectSpread(run![name]);
      expect(bench.timings[name]).toBe(run![name].median);
    }
    // eleven frames after the first make the rest of the time; the factor is rounded to thousandths
    const speakMs = bench.timings.first_audio_ms! + 11 * bench.timings.frame_ms!;
    expect(Math.abs(speakMs / 960 - bench.timings.rtf!)).toBeLessThan(0.00051);
    expectMemory(bench.memory, bench.memory.bytes_per_frame, 1000 / bench.timings.frame_ms!);
  });

  it("counts the frames of a speech that ends by itself, and prints a table", async () => {
    const args = ["pocket-csm", "--frames", "400", "--repeat", "1", "--gpu", "off"];
    const { frames, seconds } = (await document<SpeechRun>(args)).runs[0]!;
    expect(frames).toBeGreaterThan(48);
    expect(frames).toBeLessThan(400);
    // the frame that ends it has no audio
    expect(seconds).toBeCloseTo((frames - 1) * 0.08, 6);
    const table = await output(args);
    const labels = [
      "pocket-csm-bf16.gguf, bf16, CPU, 1 thread, 1 round: ",
      "load ",
      "first audio ",
      "frame, with Mimi ",
      `RTF of ${seconds.toFixed(2)} s `,
      "codec, encoding 1 s ",
      "codec, decoding 1 s ",
      "weights ",
      "memory ",
    ];
    const lines = table.trimEnd().split("\n");
    expect(lines.map((line, i) => line.slice(0, labels[i]?.length))).toEqual(labels);
  });
});

describe("parley bench refuses", () => {
  let folder: string;
  let classifier: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    classifier = await convertTo(folder, repositoryFile("test/fixtures/glm-sequence-classification"), "f32");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ["no model", [], 2, "USAGE"],
    ["a model named twice", ["pocket-cwm", "-m", "pocket-cwm"], 2, "USAGE"],
    ["two words", ["pocket-cwm", "512"], 2, "USAGE"],
    ["a classifier", ["CLASSIFIER"], 65, "CLASSIFIER_ONLY"],
    ["a file that is not there", ["nowhere.gguf"], 66, "MODEL_NOT_FOUND"],
    ["words for numbers", ["pocket-cwm", "--prompt", "8,many"], 2, "USAGE"],
    ["an empty prompt", ["pocket-cwm", "--prompt", "0"], 2, "USAGE"],
    ["one token, which has no rate", ["pocket-cwm", "--generate", "1"], 2, "USAGE"],
    ["no rounds", ["pocket-cwm", "--repeat", "0"], 2, "USAGE"],
    ["more than the context", ["pocket-cwm", "--prompt", "8,1920"], 2, "CONTEXT_SIZE"],
    ["an answer as long as the context", ["pocket-cwm", "--generate", "2048"], 2, "CONTEXT_SIZE"],
    ["a cache that speech has not", ["pocket-csm", "--kv-type", "q8_0"], 2, "KV_TYPE"],
  ])("%s", async (_name, args, code, error) => {
    const words = args.map((arg) => (arg === "CLASSIFIER" ? classifier : arg));
    const run = await runParley(["bench", ...words, "--json"], { env: { PARLEY_MODEL: "" }, cwd: folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: error } });
    expect(run.code).toBe(code);
  });
});
