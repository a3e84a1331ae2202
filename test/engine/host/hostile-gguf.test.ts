import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EngineProcess } from "../../../src/engine/client/engine-process.js";
import { UserError } from "../../../src/engine/errors.js";
import type { GgufFile, GgufTensorInfo, GgufValue } from "../../../src/engine/formats/gguf.js";
import { readGguf } from "../../../src/engine/formats/gguf-reader.js";
import { layoutGguf } from "../../../src/engine/formats/gguf-writer.js";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../../helpers/models.js";

/*
 * The strict reader refuses these files before any native code sees them; here they go to the engine itself, which
 * must reject each and stay alive.
 */

let folder: string;
let good: string;
let goodFile: GgufFile;
let goodBytes: Buffer;
let engine: EngineProcess;
beforeAll(async () => {
  folder = await temporaryFolder();
  good = await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "f32");
  goodFile = await readGguf(good, { purpose: "run" });
  goodBytes = await readFile(good);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(() => {
  engine = new EngineProcess();
});
afterEach(() => engine.close());

async function load(modelPath: string): Promise<number> {
  const { vocabularySize } = await engine.call("load", {
    engineFolder: await engineFolder(),
    gpu: false,
    modelPath,
    gpuLayers: 0,
    threads: 1,
  });
  return vocabularySize;
}

interface Contents {
  metadata: Map<string, GgufValue>;
  tensors: (GgufTensorInfo & { offset: number })[];
}

/** The good model, with other metadata or tensor descriptions around the same data. */
function rebuilt(change: (contents: Contents) => void): Buffer {
  const contents: Contents = {
    metadata: new Map(goodFile.metadata),
    tensors: goodFile.tensors.map((tensor) => ({ ...tensor })),
  };
  change(contents);
  const { header, tensors, totalBytes } = layoutGguf(contents);
  const file = Buffer.alloc(totalBytes);
  file.set(header);
  tensors.forEach(({ offset, bytes }, i) => {
    const from = contents.tensors[i]?.offset ?? 0;
    goodBytes.copy(file, offset, from, from + bytes);
  });
  return file;
}

const withKey = (key: string, value: GgufValue) => () =>
  rebuilt(({ metadata }) => {
    expect(metadata.has(key)).toBe(true);
    metadata.set(key, value);
  });

/** Where the bytes behind a key or a tensor's name begin. */
function behind(file: Buffer, name: string): number {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(name.length));
  const at = file.indexOf(Buffer.concat([length, Buffer.from(name)]));
  expect(at).toBeGreaterThan(0);
  return at + 8 + name.length;
}

/** dims of a matrix, written over those of the good model, where the writer would refuse them */
const withShape = (first: bigint, second: bigint) => () => {
  const file = Buffer.from(goodBytes);
  // behind the name: 4 bytes for the number of dimensions
  const at = behind(file, "blk.0.attn_q.weight") + 4;
  file.writeBigUInt64LE(first, at);
  file.writeBigUInt64LE(second, at + 8);
  return file;
};

const withAlignment = (alignment: number) => () => {
  const file = rebuilt(({ metadata }) => metadata.set("general.alignment", { type: "uint32", value: 64 }));
  // behind the key: 4 bytes for the type
  file.writeUInt32LE(alignment, behind(file, "general.alignment") + 4);
  return file;
};

const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
const PATTERN = "cwm.attention.sliding_window_pattern";

const HOSTILE: [string, () => Buffer][] = [
  ["a shape whose product wraps around to 0", withShape(2n ** 32n, 2n ** 32n)],
  ["a shape whose size in bytes wraps around to 0", withShape(2n ** 62n, 4n)],
  ["a shape beyond signed numbers", withShape(2n ** 63n, 1n)],
  ["an alignment of 2^31", withAlignment(2 ** 31)],
  ["an alignment of 3", withAlignment(3)],
  ["an alignment of 0", withAlignment(0)],
  ["513 layers", withKey("cwm.block_count", uint32(513))],
  ["no layers", withKey("cwm.block_count", uint32(0))],
  [
    "a token text twice",
    () =>
      rebuilt(({ metadata }) => {
        const tokens = metadata.get("tokenizer.ggml.tokens");
        if (tokens?.type !== "array" || tokens.of !== "string") throw new Error("no tokens");
        const value = [...tokens.value];
        value[6] = value[5] ?? "";
        metadata.set("tokenizer.ggml.tokens", { ...tokens, value });
      }),
  ],
  [
    "a sliding pattern shorter than the model",
    withKey(PATTERN, { type: "array", of: "bool", value: [false, true, true] }),
  ],
  [
    "a sliding pattern longer than the model",
    withKey(PATTERN, { type: "array", of: "bool", value: Array.from({ length: 600 }, () => true) }),
  ],
  ["no attention heads", withKey("cwm.attention.head_count", uint32(0))],
  ["no key heads", withKey("cwm.attention.head_count_kv", uint32(0))],
  ["a head size of 0", withKey("cwm.attention.key_length", uint32(0))],
  ["a window of 0 while layers slide", withKey("cwm.attention.sliding_window", uint32(0))],
  ["data cut short", () => goodBytes.subarray(0, goodBytes.length - 1000)],
  ["a header cut short", () => goodBytes.subarray(0, 1000)],
  ["nothing but a magic", () => goodBytes.subarray(0, 4)],
  [
    "a tensor of another shape",
    () =>
      rebuilt(({ tensors }) => {
        const i = tensors.findIndex(({ name }) => name === "blk.1.ffn_up.weight");
        const tensor = tensors[i];
        if (!tensor) throw new Error("no such tensor");
        tensors[i] = { ...tensor, dims: [...tensor.dims].reverse() };
      }),
  ],
  ["a tensor too few", () => rebuilt((contents) => contents.tensors.splice(contents.tensors.length - 1, 1))],
];

describe("the engine rejects a GGUF file with", () => {
  it("rows that are no whole number of blocks", async () => {
    const quantised = await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "q8_0");
    const file = await readFile(quantised);
    // behind the key: 4 bytes for the type
    file.writeUInt32LE(16, behind(file, "cwm.embedding_length") + 4);
    const broken = path.join(folder, "rows.gguf");
    await writeFile(broken, file);
    await expect(load(broken)).rejects.toMatchObject({ code: "MODEL_LOAD", exit: "badFile" });
    expect(await load(good)).toBe(448);
  });

  it.each(HOSTILE)("%s", async (name, make) => {
    const file = path.join(folder, `${name.replaceAll(/\W+/g, "-")}.gguf`);
    await writeFile(file, make());
    const outcome: unknown = await load(file).then(
      () => "it was loaded",
      (error: unknown) => error,
    );
    expect(outcome).toBeInstanceOf(UserError);
    expect(outcome).toMatchObject({ code: "MODEL_LOAD", exit: "badFile" });
    expect(await load(good)).toBe(448);
    await rm(file);
  });
});
