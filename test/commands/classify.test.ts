import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley, type RunOptions } from "../helpers/run-parley.js";

const data = (name: string) =>
  JSON.parse(readFileSync(repositoryFile("test/reference/data", `${name}.json`), "utf8")) as {
    texts: {
      text: string;
      tokens: number[];
      logits: number[] & number[][];
      label: string;
      score: number;
      labels: string[];
      offsets: [number, number][];
    }[];
  };

let folder: string;
let sequence: string;
let token: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  sequence = await convertTo(folder, repositoryFile("test/fixtures/glm-sequence-classification"), "f32");
  token = await convertTo(folder, repositoryFile("test/fixtures/glm-token-classification"), "f32");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function output(args: string[], options: RunOptions = {}): Promise<string> {
  const run = await runParley(["classify", ...args], options);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  return run.stdout;
}

describe("parley classify with a sequence head", () => {
  const [first, second] = data("glm-sequence-classification").texts;

  it("gives label, score and logits", async () => {
    const stdout = await output([sequence, first!.text, "--json", "--kv-type", "f32"]);
    const document = JSON.parse(stdout) as { label: string; score: number; logits: number[] };
    expect(Object.keys(document)).toEqual(["label", "score", "logits"]);
    expect(document.label).toBe(first!.label);
    expect(document.score).toBeCloseTo(first!.score, 4);
    expect(nmse(document.logits, first!.logits)).toBeLessThan(1e-6);
  });

  it("answers a line of stdin with a line, empty ones too, and takes the model by -m", async () => {
    const input = `${first!.text}\r\n\n${second!.text}`;
    const lines = (await output(["-m", sequence, "--json", "--kv-type", "f32"], { input }))
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(3);
    const documents = lines.map((line) => JSON.parse(line) as { label: string; logits: number[] });
    expect(nmse(documents[0]!.logits, first!.logits)).toBeLessThan(1e-6);
    expect(nmse(documents[2]!.logits, second!.logits)).toBeLessThan(1e-6);
  });

  it("shows the likeliest classes", async () => {
    const columns = (await output([sequence, first!.text, "--top-k", "9"])).trimEnd().split("\t");
    expect(columns.filter((_, i) => i % 2 === 0)).toEqual(["technical", "praise", "billing", "other"]);
    const sum = columns.filter((_, i) => i % 2 === 1).reduce((total, score) => total + Number(score), 0);
    expect(sum).toBeCloseTo(1, 3);
  });
});

describe("parley classify with a token head", () => {
  it("labels every token and says where it stands, as the reference does", async () => {
    const { texts } = data("glm-token-classification");
    const input = texts.filter(({ text }) => !/[\r\n]/.test(text));
    const stdout = await output([token, "--json", "--kv-type", "f32"], {
      input: input.map(({ text }) => text).join("\n"),
    });
    const documents = stdout
      .trimEnd()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            tokens: { text: string; start: number; end: number; label: string; logits: number[] }[];
          },
      );
    expect(documents).toHaveLength(input.length);
    expect(Object.keys(documents[0]!.tokens[0]!)).toEqual([
      "text",
      "start",
      "end",
      "label",
      "score",
      "logits",
    ]);
    documents.forEach(({ tokens }, i) => {
      const { text, offsets, labels, logits } = input[i]!;
      expect(tokens.map(({ start, end }) => [start, end])).toEqual(offsets);
      expect(tokens.map(({ label }) => label)).toEqual(labels);
      expect(
        nmse(
          tokens.flatMap((one) => one.logits),
          logits.flat(),
        ),
      ).toBeLessThan(1e-6);
      expect(tokens[2]!.text).toBe(
        Array.from(text)
          .slice(...offsets[2]!)
          .join(""),
      );
    });
  });

  it("says where ids stand in what they spell, and that half a character stands nowhere", async () => {
    const stdout = await output([token, "--tokens", "434,64,436,65", "--json"]);
    const { tokens } = JSON.parse(stdout) as { tokens: { text: string; start: number; end: number }[] };
    expect(tokens.map(({ text, start, end }) => [text, start, end])).toEqual([
      ["[gMASK]", 0, 0],
      ["a", 0, 1],
      ["<sop>", 1, 1],
      ["b", 1, 2],
    ]);
    expect(JSON.parse(await output([token, "--tokens", "127", "--json"]))).toMatchObject({
      tokens: [{ start: null, end: null }],
    });
  });
});

describe("parley classify refuses", () => {
  it.each([
    ["a model without a head", 65, "NO_CLASSIFIER", ["pocket-cwm", "a"]],
    ["TEXT and --tokens together", 2, "USAGE", ["MODEL", "a", "--tokens", "1"]],
    ["two models", 2, "USAGE", ["MODEL", "a", "-m", "MODEL"]],
    ["no model", 2, "USAGE", []],
    ["an unknown id", 2, "TOKEN_RANGE", ["MODEL", "--tokens", "448"]],
    ["a file that is not there", 66, "MODEL_NOT_FOUND", ["./nowhere.gguf", "a"]],
  ])("%s", async (_name, code, error, args) => {
    const command = args.map((arg) => (arg === "MODEL" ? sequence : arg));
    const run = await runParley(["classify", ...command, "--json"], { env: { PARLEY_MODEL: "" } });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: error } });
    expect(run.code).toBe(code);
  });

  it("to chat with a classifier, and says what to do instead", async () => {
    const run = await runParley(["chat", "-m", sequence, "hello"]);
    expect(run.code).toBe(65);
    expect(run.stdout).toBe("");
    expect(run.stderr).toContain("parley classify");
  });
});
