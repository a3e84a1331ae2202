import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertTo, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";
import { goldenClip } from "../helpers/speech.js";

let folder: string;
let model: string;
let text: string;
const WORDS = "The wheel turns.\nIt doesn't stop; why should it? ".repeat(60);

beforeAll(async () => {
  folder = await temporaryFolder();
  model = await convertTo(folder, repositoryFile("test/fixtures/glm-biases"), "f32");
  text = path.join(folder, "text.txt");
  await writeFile(text, WORDS);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Document {
  loss: number;
  perplexity: number;
  tokens: number;
}

describe("parley score", () => {
  it("prints loss, perplexity and the number of scored tokens", async () => {
    const { tokens, loss } = JSON.parse(
      readFileSync(repositoryFile("test/reference/data/glm-biases.json"), "utf8"),
    ) as { tokens: number[]; loss: number };
    const run = await runParley(["score", model, "--tokens", tokens.join(), "--kv-type", "f32", "--json"]);
    expect(run.stderr).toBe("");
    const document = JSON.parse(run.stdout) as Document;
    expect(Object.keys(document)).toEqual(["loss", "perplexity", "tokens"]);
    expect(Math.abs(document.loss - loss)).toBeLessThan(1e-4);
    expect(document.tokens).toBe(tokens.length - 1);
  });

  it("reads a file and standard input alike, in one window or several", async () => {
    const file = await runParley(["score", model, text, "--json"]);
    const piped = await runParley(["score", "-m", model, "--json"], { input: WORDS });
    expect(piped.stdout).toBe(file.stdout);
    const windows = await runParley(["score", model, text, "--json", "-c", "64"]);
    expect(windows.stderr).toMatch(/(^|\n)\d+ windows of 64 tokens, \d+ tokens scored\n$/);
    const [whole, parts] = [file, windows].map(({ stdout }) => JSON.parse(stdout) as Document);
    expect(parts!.tokens).toBeGreaterThan(whole!.tokens * 0.45);
    expect(parts!.tokens).toBeLessThan(whole!.tokens * 0.6);
    const plain = await runParley(["score", model, text]);
    expect(plain.stdout).toMatch(/^loss \d+\.\d{4} {2}perplexity \S+ {2}tokens \d+\n$/);
  });

  it.each([
    ["an empty text", ["MODEL"], "", 65, "NOTHING_TO_SCORE"],
    ["one token", ["MODEL", "--tokens", "5"], "", 65, "NOTHING_TO_SCORE"],
    ["bytes that are no text", ["MODEL"], Buffer.from([0x61, 0xff, 0xfe]), 65, "TEXT_ENCODING"],
    ["a file that is not there", ["MODEL", "nowhere.txt"], "", 66, "TEXT_FILE"],
    ["an unknown id", ["MODEL", "--tokens", "1,448"], "", 2, "TOKEN_RANGE"],
    ["a window larger than the context", ["MODEL", "-c", "99999999"], "a b", 2, "CONTEXT_SIZE"],
    ["a stride larger than the window", ["MODEL", "--stride", "513"], "a b", 2, "STRIDE"],
    ["FILE and --tokens together", ["MODEL", "a.txt", "--tokens", "1"], "", 2, "USAGE"],
  ])("refuses %s", async (_name, args, input, code, error) => {
    const command = args.map((arg) => (arg === "MODEL" ? model : arg));
    const run = await runParley(["score", ...command, "--json"], { input, cwd: folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: error } });
    expect(run.code).toBe(code);
  });
});

/** 16-bit mono at 24 kHz. */
function wav(samples: Float32Array): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF");
  header.writeUInt32LE(36 + 2 * samples.length, 4);
  header.write("WAVEfmt ", 8);
  for (const [offset, value] of [
    [16, 16],
    [24, 24000],
    [28, 48000],
    [40, 2 * samples.length],
  ] as const) {
    header.writeUInt32LE(value, offset);
  }
  for (const [offset, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const) {
    header.writeUInt16LE(value, offset);
  }
  header.write("data", 36);
  const data = Int16Array.from(samples, (sample) => Math.round(sample * 32768));
  return Buffer.concat([header, Buffer.from(data.buffer)]);
}

describe("parley score of a conversation", () => {
  const reference = JSON.parse(
    readFileSync(repositoryFile("test/reference/data/csm-six-scores.json"), "utf8"),
  ) as Record<string, number> & { turns: { speaker: number; text: string; samples: number }[] };
  let speech: string;
  beforeAll(async () => {
    speech = await convertTo(folder, repositoryFile("test/fixtures/csm-six"), "f32");
  });

  it("gives the three losses of the reference", async () => {
    let start = 0;
    const turns = [];
    for (const [i, { speaker, text: words, samples }] of reference.turns.entries()) {
      const audio = `${i}.wav`;
      await writeFile(path.join(folder, audio), wav(goldenClip().subarray(start, start + samples)));
      turns.push({ speaker, text: words, audio });
      start += samples;
    }
    const file = path.join(folder, "turns.json");
    await writeFile(file, JSON.stringify(turns));
    const run = await runParley(["score", speech, file, "--json"]);
    expect(run.stderr).toBe("");
    const losses = JSON.parse(run.stdout) as Record<string, number>;
    expect(Object.keys(losses)).toEqual(["loss", "backbone_loss", "depth_decoder_loss"]);
    for (const [name, value] of Object.entries(losses)) {
      expect(Math.abs(value - reference[name]!), name).toBeLessThan(1e-3);
    }
  });

  it.each([
    ["no file", [], 2, "USAGE"],
    ["a text", ["text.txt"], 65, "CONTEXT_JSON"],
    ["a list without turns", ["empty.json"], 65, "NOTHING_TO_SCORE"],
  ])("refuses %s", async (_name, args, code, error) => {
    await writeFile(path.join(folder, "empty.json"), "[]");
    const run = await runParley(["score", speech, ...args, "--json"], { cwd: folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: error } });
    expect(run.code).toBe(code);
  });
});
