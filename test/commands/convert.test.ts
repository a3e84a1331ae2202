import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGguf } from "../../src/engine/formats/gguf-reader.js";
import { repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";
import { largeCheckpoint } from "../helpers/large-checkpoint.js";
import { editSafetensors, type EditedTensor } from "../helpers/edit-safetensors.js";

const CWM = repositoryFile("test/fixtures/cwm-regular");
const SHARDED = repositoryFile("test/fixtures/cwm-bf16-sharded");

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

const emptyFolder = () => mkdtemp(path.join(root, "case-"));

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

interface Summary {
  path: string;
  architecture: string;
  type: string;
  tensors: number;
  bytes: number;
  seconds: number;
  sha256: string;
}

async function convert(...args: string[]): Promise<Summary> {
  const run = await runParley(["convert", ...args, "--json"]);
  expect(run.stdout + run.stderr).toMatch(/^\{"path"/);
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout) as Summary;
}

describe("parley convert", () => {
  it("--json describes the file it made; a second conversion makes the same bytes", async () => {
    const folder = await emptyFolder();
    const first = await convert(CWM, "-o", path.join(folder, "first.gguf"));
    const { seconds, ...stable } = first;
    expect(seconds).toBeGreaterThan(0);
    expect(stable).toEqual({
      path: path.join(folder, "first.gguf"),
      architecture: "cwm",
      type: "f32",
      tensors: (await readGguf(first.path, { purpose: "run" })).tensors.length,
      bytes: (await stat(first.path)).size,
      sha256: sha256(first.path),
    });
    const second = await convert(CWM, "-o", path.join(folder, "second.gguf"), "--threads", "3");
    expect(second.sha256).toBe(first.sha256);
    expect((await readdir(folder)).sort()).toEqual(["first.gguf", "second.gguf"]);
  });

  it("prints nothing but the path, and what it did on stderr", async () => {
    const folder = await emptyFolder();
    const output = path.join(folder, "model.gguf");
    const run = await runParley(["convert", "pocket-cwm", "-o", output]);
    expect(run.stdout).toBe(`${output}\n`);
    expect(run.stderr).toMatch(/^92 tensors, bf16, .* in .* s\n$/);
    expect(run.code).toBe(0);
    expect((await readGguf(output, { purpose: "run" })).tensors.length).toBe(92);
  });

  it.each(["f16", "q4_k_m"])(
    "--dry-run says the exact size of a %s file and writes nothing",
    async (type) => {
      const folder = await emptyFolder();
      const planned = await runParley(["convert", CWM, "-t", type, "--dry-run", "--json"], { cwd: folder });
      expect(planned.code).toBe(0);
      expect(await readdir(folder)).toEqual([]);
      const plan = JSON.parse(planned.stdout) as {
        bytes: number;
        tensors: { name: string; source: string[] }[];
      };
      const made = await convert(CWM, "-t", type, "-o", path.join(folder, "model.gguf"));
      expect(plan.bytes).toBe((await stat(made.path)).size);
      expect(plan.tensors.length).toBe(made.tensors);
      expect(plan.tensors.find(({ name }) => name === "blk.0.attn_q.weight")?.source).toEqual([
        "model.layers.0.self_attn.q_proj.weight",
      ]);
    },
  );

  it.each([["q8_0"], ["q4_0", "--depth-type", "q8_0"], ["bf16", "--depth-type", "f32"]])(
    "--dry-run says the exact size of a CSM: %s %s %s",
    async (type, ...more) => {
      const output = path.join(await emptyFolder(), "model.gguf");
      const source = repositoryFile("test/fixtures/csm-six");
      const planned = await runParley(["convert", source, "-t", type, ...more, "--dry-run", "--json"]);
      const made = await convert(source, "-t", type, ...more, "-o", output);
      expect(made.architecture).toBe("csm");
      expect((JSON.parse(planned.stdout) as { bytes: number }).bytes).toBe((await stat(output)).size);
    },
  );

  it("--dry-run for people has a line per tensor and ends with the size", async () => {
    const folder = await emptyFolder();
    const run = await runParley(["convert", CWM, "--dry-run"], { cwd: folder });
    const made = await convert(CWM, "-o", path.join(folder, "model.gguf"));
    expect(run.stdout).toContain(`${made.tensors} tensors, architecture cwm, type f32: ${made.bytes} bytes`);
    const rows = run.stdout.split("\n").filter((line) => /\s(F32|F16)\s+\[/.test(line));
    expect(rows.length).toBe(made.tensors);
    expect(rows.join("\n")).toMatch(/blk\.4\.ffn_down\.weight +F32 +\[64, 32\] +8192 +model\.layers\.4\.mlp/);
  });

  it("requantises a GGUF file into what the checkpoint gives", async () => {
    const folder = await emptyFolder();
    const half = await convert(CWM, "-t", "f16", "-o", path.join(folder, "f16.gguf"));
    const from = await convert(half.path, "-t", "q8_0", "-o", path.join(folder, "q8.gguf"));
    expect(from).toMatchObject({ architecture: "cwm", type: "q8_0", tensors: half.tensors });
    const types = (await readGguf(from.path, { purpose: "run" })).tensors.map(({ type }) => type);
    expect(types.filter((type) => type === "Q8_0").length).toBeGreaterThan(30);
    expect(from.bytes).toBeLessThan(half.bytes);
  });

  it("leaves an existing output alone without --force", async () => {
    const folder = await emptyFolder();
    const output = path.join(folder, "model.gguf");
    await writeFile(output, "mine");
    const refused = await runParley(["convert", CWM, "-o", output, "--json"]);
    expect(refused.code).toBe(73);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "OUTPUT_EXISTS" } });
    expect(await readFile(output, "utf8")).toBe("mine");
    const forced = await convert(CWM, "-o", output, "--force");
    expect(sha256(output)).toBe(forced.sha256);
    expect(await readdir(folder)).toEqual(["model.gguf"]);
  });

  it("--split-max-size does not take a folder for a name", async () => {
    const folder = await emptyFolder();
    const run = await runParley(["convert", CWM, "--split-max-size", "60k", "-o", `${folder}/`]);
    expect(run).toMatchObject({ code: 73, stdout: "" });
    expect((await readdir(root)).filter((name) => name.endsWith(".gguf"))).toEqual([]);
  });

  it("without -o names the file after model and type, in the working folder", async () => {
    const folder = await emptyFolder();
    const run = await runParley(["convert", CWM, "-t", "f16"], { cwd: folder });
    expect(run.code).toBe(0);
    expect(await readdir(folder)).toEqual(["cwm-regular-F16.gguf"]);
    expect(path.resolve(folder, run.stdout.trim())).toBe(path.join(folder, "cwm-regular-F16.gguf"));
  });
});

/** Weights of a copied checkpoint, changed. */
const weights = (change: (tensors: EditedTensor[]) => EditedTensor[]) => (copy: string) =>
  editSafetensors(path.join(copy, "model.safetensors"), change);

const config = (change: object) => async (copy: string) => {
  const file = path.join(copy, "config.json");
  const old = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...old, ...change }));
};

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 305336\n`;

const BROKEN: [string, string, (copy: string) => Promise<unknown>, number, string, RegExp][] = [
  [
    "a shard that is not there",
    SHARDED,
    (copy) => rm(path.join(copy, "model-00002-of-00003.safetensors")),
    65,
    "MISSING_SHARD",
    /model-00002-of-00003\.safetensors/,
  ],
  [
    "weights that end too early",
    CWM,
    (copy) => truncate(path.join(copy, "model.safetensors"), 300_000),
    65,
    "ST_TRUNCATED",
    /model\.safetensors/,
  ],
  [
    "a Git LFS pointer for weights",
    CWM,
    (copy) => writeFile(path.join(copy, "model.safetensors"), POINTER),
    65,
    "LFS_POINTER",
    /model\.safetensors/,
  ],
  [
    "an unknown architecture",
    CWM,
    config({ architectures: ["MambaForCausalLM"], model_type: "mamba" }),
    65,
    "UNSUPPORTED_ARCH",
    /mamba/i,
  ],
  [
    "a tensor too many",
    CWM,
    weights((all) => [...all, { ...all[0]!, name: "model.extra.weight" }]),
    65,
    "EXTRA_TENSORS",
    /model\.extra\.weight/,
  ],
  [
    "a tensor too few",
    CWM,
    weights((all) => all.filter(({ name }) => name !== "model.norm.weight")),
    65,
    "MISSING_TENSORS",
    /model\.norm\.weight/,
  ],
  [
    "a tensor of another shape",
    CWM,
    weights((all) =>
      all.map((tensor) =>
        tensor.name === "model.layers.3.mlp.up_proj.weight" ? { ...tensor, shape: [32, 64] } : tensor,
      ),
    ),
    65,
    "SHAPE_MISMATCH",
    /model\.layers\.3\.mlp\.up_proj\.weight/,
  ],
  [
    "a folder without config.json",
    CWM,
    (copy) => rm(path.join(copy, "config.json")),
    65,
    "MODEL_FOLDER",
    /config\.json/,
  ],
];

/** Runs a conversion that must fail, for people and for scripts, and looks for what it left behind. */
async function expectRefusal(args: string[], exit: number, code: string, message: RegExp): Promise<void> {
  const folder = await emptyFolder();
  const command = ["convert", ...args, "-o", path.join(folder, "model.gguf")];
  const [people, scripts] = await Promise.all([
    runParley(command, { cwd: folder }),
    runParley([...command, "--json"], { cwd: folder }),
  ]);
  const document = JSON.parse(scripts.stdout) as { error: { code: string; message: string; hint: string } };
  expect(document.error.code).toBe(code);
  expect(document.error.message).toMatch(message);
  expect(scripts.stderr).toBe("");
  expect(people.stdout).toBe("");
  expect(people.stderr).toBe(`Error: ${document.error.message}\n  ${document.error.hint}\n`);
  expect([people.code, scripts.code]).toEqual([exit, exit]);
  expect(await readdir(folder)).toEqual([]);
}

describe("parley convert refuses, in one line with a hint, and leaves nothing behind:", () => {
  it.each(BROKEN)("%s", async (_name, fixture, damage, exit, code, message) => {
    const copy = path.join(await emptyFolder(), "checkpoint");
    await cp(fixture, copy, { recursive: true });
    await damage(copy);
    await expectRefusal([copy], exit, code, message);
  });

  it("a folder that is not there", () => expectRefusal(["./absent"], 66, "MODEL_NOT_FOUND", /absent/));

  it("an empty folder", async () => expectRefusal([await emptyFolder()], 65, "MODEL_FOLDER", /config\.json/));

  it("an unknown --type", () => expectRefusal([CWM, "-t", "q9_9"], 2, "UNKNOWN_TYPE", /q9_9/));

  it("a GGUF file cut short", async () => {
    const folder = await emptyFolder();
    const whole = await convert(CWM, "-o", path.join(folder, "whole.gguf"));
    await truncate(whole.path, whole.bytes - 1000);
    await expectRefusal([whole.path, "-t", "f16"], 65, "GGUF_TRUNCATED", /whole\.gguf/);
  });
});

describe("parley convert, interrupted", () => {
  let checkpoint: string;
  beforeAll(async () => {
    checkpoint = path.join(root, "large");
    await mkdir(checkpoint);
    await largeCheckpoint(CWM, checkpoint);
  });

  it.each([
    ["f32", "SIGINT", 130],
    ["q6_k", "SIGINT", 130],
    ["q6_k", "SIGTERM", 143],
  ] as const)("to %s by %s exits with %d and leaves nothing", async (type, signal, code) => {
    const folder = await emptyFolder();
    const command = ["convert", checkpoint, "-t", type, "-o", path.join(folder, "model.gguf")];
    const child = spawn(process.execPath, [repositoryFile("bin", "run.js"), ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    // the temporary file is there: the conversion is at work
    let names: string[] = [];
    while (names.length === 0 && child.exitCode === null) {
      names = await readdir(folder);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(names).toEqual([expect.stringMatching(/\.tmp$/)]);
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(output).toBe("");
    expect(await readdir(folder)).toEqual([]);
  });
});
