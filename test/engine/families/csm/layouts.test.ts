import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { planConversion } from "../../../../src/engine/convert/convert-checkpoint.js";
import { encodeSafetensors } from "../../../helpers/edit-safetensors.js";
import { convert, copyFixture, tensorHashes, useTemporaryFolders } from "../../convert/converted.js";
import { fixtureFolder } from "../texts.js";

const newFolder = useTemporaryFolders();

/** A file of the original layout of sesame/csm-1b: other names, no codec. */
const ORIGINAL = encodeSafetensors(
  ["backbone.layers.0.attn.q_proj.weight", "codebook0_head.weight", "projection.weight", "audio_head"].map(
    (name) => ({ name, dtype: "F32", shape: [1, 2], data: Buffer.alloc(8) }),
  ),
);

const FETCH = {
  code: "FOREIGN_LAYOUT",
  exitCode: 65,
  hint: expect.stringMatching(
    /config\.json.*transformers\.safetensors\.index\.json.*transformers-\*/,
  ) as string,
};

describe("the layouts of a CSM checkpoint", () => {
  it("reads the index of the transformers layout beside files of the original one", async () => {
    const copy = await copyFixture("csm-thirtytwo", await newFolder());
    await writeFile(path.join(copy, "model.safetensors"), ORIGINAL);
    await writeFile(path.join(copy, "ckpt.pt"), "PK\x03\x04");
    const output = path.join(copy, "beside.gguf");
    const { plan } = await convert(copy, { type: "f16", output });
    expect(plan.notes).toContain(
      "model.safetensors was not read: transformers.safetensors.index.json comes first.",
    );
    const alone = path.join(copy, "alone.gguf");
    await convert(fixtureFolder("csm-thirtytwo"), { type: "f16", output: alone });
    expect(await tensorHashes(output)).toEqual(await tensorHashes(alone));
  });

  it("reads shards under the plain names of transformers", async () => {
    const copy = await copyFixture("csm-thirtytwo", await newFolder());
    await rename(
      path.join(copy, "transformers.safetensors.index.json"),
      path.join(copy, "model.safetensors.index.json"),
    );
    expect((await planConversion(copy, { type: "f16" })).tensors.length).toBe(
      (await planConversion(fixtureFolder("csm-thirtytwo"), { type: "f16" })).tensors.length,
    );
  });

  it("refuses the original layout alone and says which files to fetch", async () => {
    const copy = await copyFixture("csm-six", await newFolder());
    await writeFile(path.join(copy, "model.safetensors"), ORIGINAL);
    await expect(planConversion(copy, { type: "f16" })).rejects.toMatchObject(FETCH);
    await rm(path.join(copy, "model.safetensors"));
    await writeFile(path.join(copy, "ckpt.pt"), "PK\x03\x04");
    await expect(planConversion(copy, { type: "f16" })).rejects.toMatchObject({
      code: "PICKLE",
      hint: expect.stringContaining("transformers.safetensors.index.json") as string,
    });
  });

  it("refuses the configuration of the original layout the same way", async () => {
    const copy = await copyFixture("csm-six", await newFolder());
    const original = { backbone_flavor: "llama-1B", decoder_flavor: "llama-100M", audio_num_codebooks: 32 };
    await writeFile(path.join(copy, "config.json"), JSON.stringify(original));
    await expect(planConversion(copy, { type: "f16" })).rejects.toMatchObject(FETCH);
  });

  it("names the index that is missing beside its shards", async () => {
    const copy = await copyFixture("csm-thirtytwo", await newFolder());
    await rm(path.join(copy, "transformers.safetensors.index.json"));
    await expect(planConversion(copy, { type: "f16" })).rejects.toMatchObject({
      code: "CHECKPOINT_NOT_FOUND",
      hint: expect.stringContaining("transformers.safetensors.index.json") as string,
    });
  });

  it("refuses a tokenizer that changes the text before it splits it", async () => {
    const copy = await copyFixture("csm-six", await newFolder());
    const file = path.join(copy, "tokenizer.json");
    const { default: tokenizer } = (await import(file, { with: { type: "json" } })) as { default: object };
    await writeFile(file, JSON.stringify({ ...tokenizer, normalizer: { type: "NFC" } }));
    await expect(planConversion(copy, { type: "f16" })).rejects.toMatchObject({
      code: "PRETOKENIZER_UNKNOWN",
      message: expect.stringContaining("normalizer") as string,
    });
  });

  it("takes the tokens around a turn from the tokenizer, whatever ids stand in the configurations", async () => {
    const copy = await copyFixture("csm-six", await newFolder());
    const change = async (name: string, values: object) => {
      const file = path.join(copy, name);
      const document = JSON.parse(await readFile(file, "utf8")) as object;
      await writeFile(file, JSON.stringify({ ...document, ...values }));
    };
    await change("config.json", { bos_token_id: 128000, pad_token_id: 128002, eos_token_id: 5 });
    await change("generation_config.json", { eos_token_id: 0 });
    const { metadata } = await planConversion(copy, { type: "f16" });
    expect(metadata.get("tokenizer.ggml.bos_token_id")?.value).toBe(266);
    expect(metadata.get("tokenizer.ggml.eos_token_id")?.value).toBe(267);
  });

  it("gives from a GGUF file what the checkpoint gives", async () => {
    const folder = await newFolder();
    const [floats, straight, twice] = ["f32", "f16", "twice"].map((name) =>
      path.join(folder, `${name}.gguf`),
    );
    await convert(fixtureFolder("csm-eight"), { type: "f32", output: floats! });
    await convert(fixtureFolder("csm-eight"), { type: "f16", output: straight! });
    await convert(floats!, { type: "f16", output: twice! });
    expect(await tensorHashes(twice!)).toEqual(await tensorHashes(straight!));
  });
});

describe("--depth-type", () => {
  it("gives the depth decoder another type, from a checkpoint and from a GGUF file", async () => {
    const types = async (source: string) => {
      const plan = await planConversion(source, { type: "f16", depthType: "f32" });
      const typeOf = (name: string) => plan.tensors.find((tensor) => tensor.name === name)?.type;
      return [typeOf("blk.0.ffn_up.weight"), typeOf("depth.blk.0.ffn_up.weight")];
    };
    expect(await types(fixtureFolder("csm-six"))).toEqual(["F16", "F32"]);
    const output = path.join(await newFolder(), "model.gguf");
    await convert(fixtureFolder("csm-six"), { type: "f32", output });
    expect(await types(output)).toEqual(["F16", "F32"]);
  });

  it("is refused for a model without a depth decoder", async () => {
    const planned = planConversion(fixtureFolder("cwm-regular"), { type: "f16", depthType: "f32" });
    await expect(planned).rejects.toMatchObject({ code: "DEPTH_TYPE_UNUSED", exitCode: 2 });
  });
});
