import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertTo, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

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
    expect(windows.stderr).toMatch(/^\d+ windows of 64 tokens, \d+ tokens scored\n$/);
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
