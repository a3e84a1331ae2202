import { cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpeechModel } from "../../../src/engine/host/speech-model.js";
import { editSafetensors } from "../../helpers/edit-safetensors.js";
import { convertTo, openModel, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { runParley } from "../../helpers/run-parley.js";
import { wavFile } from "../../helpers/wav.js";
import { goldenClip, loadSpeech, PATHS, speakAll } from "../../helpers/speech.js";

const NAN = { BF16: Buffer.from([0xc0, 0x7f]), F32: Buffer.from([0, 0, 0xc0, 0x7f]) };
const INFINITY = { BF16: Buffer.from([0x80, 0x7f]), F32: Buffer.from([0, 0, 0x80, 0x7f]) };

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A test checkpoint in which one value of a tensor is another. @returns its GGUF file */
async function broken(checkpoint: string, name: string, at: number, value: typeof NAN): Promise<string> {
  const copy = path.join(folder, `${checkpoint}-${name}-${at}-${value === NAN ? "nan" : "inf"}`);
  await cp(repositoryFile("test/fixtures", checkpoint), copy, { recursive: true });
  await editSafetensors(path.join(copy, "model.safetensors"), (tensors) => {
    const tensor = tensors.find((one) => one.name === name);
    if (!tensor) throw new Error(`${checkpoint} has no tensor ${name}`);
    const bytes = value[tensor.dtype as keyof typeof NAN];
    tensor.data = Buffer.from(tensor.data);
    bytes.copy(tensor.data, at * bytes.length);
    return tensors;
  });
  return convertTo(folder, copy, "f32");
}

const UTTERANCE = { tokens: Int32Array.of(266, 1, 2, 3), codes: new Int32Array(0), seed: 1, maxFrames: 3 };

describe.each(PATHS)("a CSM with broken weights, $way", ({ plain }) => {
  const DEPTH_HIDDEN = 32;
  const VOCABULARY = 35;
  it.each([
    ["a NaN in the head", "lm_head.weight", 7, NAN, "codebook 0 at position 3"],
    ["an infinite weight", "lm_head.weight", 7, INFINITY, "codebook 0 at position 3"],
    ["a NaN in a norm", "backbone_model.norm.weight", 0, NAN, "codebook 0 at position 3"],
    [
      "a NaN in one head of the depth decoder",
      "depth_decoder.codebooks_head.weight",
      2 * DEPTH_HIDDEN * VOCABULARY + 5,
      NAN,
      "codebook 3 at position 3",
    ],
  ])("says where: %s", async (_, tensor, at, value, where) => {
    const model = await loadSpeech(await broken("csm-six", tensor, at, value), { plain });
    try {
      for (const temperature of [0, 0.9]) {
        const sampling = { temperature, topK: 5, depthTemperature: temperature, depthTopK: 0 };
        await expect(speakAll(model, [UTTERANCE], { sampling })).rejects.toMatchObject({
          code: "NOT_A_NUMBER",
          exitCode: 65,
          message: expect.stringContaining(`the logits of ${where} are not numbers`) as string,
        });
      }
    } finally {
      model.dispose();
    }
  });

  it("says so when only the codec is broken", async () => {
    const file = await broken("csm-six", "codec_model.decoder.layers.0.conv.bias", 0, NAN);
    const model: SpeechModel = await loadSpeech(file, { plain });
    await expect(speakAll(model, [UTTERANCE])).rejects.toMatchObject({
      code: "NOT_A_NUMBER",
      message: expect.stringContaining("samples that are not numbers") as string,
    });
    model.dispose();
  });
});

describe("a text model with broken weights", () => {
  it.each([0, 0.8])("is reported at temperature %d", async (temperature) => {
    const { session } = await openModel(await broken("cwm-regular", "lm_head.weight", 300 * 32, NAN));
    try {
      await session.createContext({
        contextSize: 64,
        batchSize: 32,
        kvType: "f32",
        flashAttention: "off",
        swaFull: false,
      });
      const run = session.generate({
        tokens: [1, 2, 3],
        maxTokens: 4,
        sampling: { temperature, topK: 0, topP: 0.9, minP: 0, repeatPenalty: 1, seed: 0 },
        stopTokens: [],
      });
      const all = async () => {
        for await (const _ of run);
      };
      await expect(all()).rejects.toMatchObject({ code: "NOT_A_NUMBER", exitCode: 65 });
    } finally {
      await session.close();
    }
  });
});

describe("the command line", () => {
  it("ends with 65, names the cause and the next step, and leaves no file", async () => {
    const file = await broken("csm-six", "lm_head.weight", 9, NAN);
    const output = path.join(folder, "broken.wav");
    const run = await runParley(["speak", "-m", file, "hello", "-o", output, "--greedy"]);
    expect(run.code).toBe(65);
    expect(run.stderr).toContain("the logits of codebook 0");
    expect(run.stderr).toContain("inspect tensors");
    await expect(rm(output)).rejects.toThrow();
  });

  it.each([
    ["score", "cwm-regular", "lm_head.weight", ["--tokens", "1,2,3"]],
    ["classify", "glm-sequence-classification", "model.norm.weight", ["hello"]],
  ])("%s does not answer", async (command, checkpoint, tensor, args) => {
    const file = await broken(checkpoint, tensor, 0, NAN);
    const run = await runParley([command, file, ...args, "--json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "NOT_A_NUMBER" } });
    expect(run.code).toBe(65);
  });

  it("score does not answer for speech either", async () => {
    const file = await broken("csm-six", "depth_decoder.codebooks_head.weight", 0, NAN);
    const clip = path.join(folder, "clip.wav");
    await writeFile(clip, wavFile(goldenClip().subarray(0, 4000)));
    const turns = path.join(folder, "turns.json");
    await writeFile(turns, JSON.stringify([{ speaker: 0, text: "a", audio: clip }]));
    const run = await runParley(["score", file, turns, "--json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "NOT_A_NUMBER" } });
    expect(run.code).toBe(65);
  });
});
