import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/engine/formats/npy.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";
import { Goldens, goldenClip } from "../helpers/speech.js";
import { samplesOf, wavFile } from "../helpers/wav.js";

let root: string;
let folder: string;
let model: string;
const goldens = new Goldens("csm-six");
beforeAll(async () => {
  root = await temporaryFolder();
  model = await convertTo(root, repositoryFile("test/fixtures/csm-six"), "f32");
  folder = await mkdtemp(path.join(root, "case-"));
  await writeFile(path.join(folder, "clip.wav"), wavFile(goldenClip().subarray(0, 9601)));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const codec = (...args: string[]) => runParley(["codec", ...args, "-m", model], { cwd: folder });

describe("parley codec", () => {
  it("encodes a clip into the reference's codes, and refuses to replace them without --force", async () => {
    const run = await codec("encode", "clip.wav", "-o", "clip.npy", "--json");
    expect(JSON.parse(run.stdout)).toEqual({
      path: "clip.npy",
      frames: 6,
      codebooks: 6,
      seconds: 9601 / 24000,
    });
    const { shape, data } = await readNpy(path.join(folder, "clip.npy"));
    expect(shape).toEqual([6, 6]);
    expect(data).toEqual(goldens.integers("mimi.clip.9601"));
    expect((await codec("encode", "clip.wav", "-o", "clip.npy")).code).toBe(73);
    const replaced = await codec("encode", "clip.wav", "-o", "clip.npy", "--force");
    expect([replaced.code, replaced.stdout]).toEqual([0, "clip.npy\n"]);
  });

  it("decodes codes into the reference's audio, to a file and to stdout", async () => {
    const array = { dtype: "int32", shape: [11, 6], data: goldens.integers("mimi.decode.codes") } as const;
    await writeNpy(path.join(folder, "codes.npy"), array);
    const run = await codec("decode", "codes.npy", "-o", "out.wav", "--float", "--json");
    expect(JSON.parse(run.stdout)).toEqual({ path: "out.wav", frames: 11, codebooks: 6, seconds: 0.88 });
    const audio = samplesOf(await readFile(path.join(folder, "out.wav")));
    expect(nmse(audio, goldens.floats("mimi.decode.audio"))).toBeLessThan(1e-6);
    expect((await codec("decode", "codes.npy", "-o", "-")).stdout.startsWith("RIFF")).toBe(true);
  });

  const wrong: [string, "int32" | "float32", number[], number[], string, string][] = [
    [
      "codes beyond the codebooks",
      "int32",
      [1, 6],
      [0, 1, 2, 3, 32, 0],
      "CODES_RANGE",
      "frame 0, codebook 4",
    ],
    [
      "codes below 0",
      "int32",
      [2, 6],
      [0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0],
      "CODES_RANGE",
      "frame 1, codebook 0",
    ],
    ["another number of codebooks", "int32", [2, 3], [0, 0, 0, 0, 0, 0], "CODES_SHAPE", "[frames, 6]"],
    ["a flat list", "int32", [6], [0, 0, 0, 0, 0, 0], "CODES_SHAPE", "[6]"],
    ["floats", "float32", [1, 6], [0, 0, 0, 0, 0, 0], "CODES_DTYPE", "int32"],
  ];
  it.each(wrong)("refuses %s", async (name, dtype, shape, values, code, message) => {
    const file = `${name.replaceAll(" ", "-")}.npy`;
    const data = dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
    await writeNpy(path.join(folder, file), { dtype, shape, data });
    const run = await codec("decode", file, "-o", "never.wav", "--json");
    const { error } = JSON.parse(run.stdout) as { error: { code: string; message: string } };
    expect([run.code, error.code]).toEqual([65, code]);
    expect(error.message).toContain(message);
  });
});
