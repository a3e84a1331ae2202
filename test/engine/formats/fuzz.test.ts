import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/engine/errors.js";
import type { ByteSource } from "../../../src/engine/formats/byte-source.js";
import { readGguf } from "../../../src/engine/formats/gguf-reader.js";
import { readSafetensorsHeader } from "../../../src/engine/formats/safetensors.js";
import { parseStrictJson } from "../../../src/engine/formats/strict-json.js";
import { seededNumbers } from "../../helpers/seeded-random.js";
import { ggufBytes, pair, runnableGguf } from "./fixtures/gguf-bytes.js";
import { mutate } from "./fixtures/mutations.js";
import { startProcessorTime } from "./fixtures/processor-time.js";
import { expectPresentable } from "./fixtures/refusal.js";
import { safetensorsBytes, vector, vectorsFile } from "./fixtures/safetensors-bytes.js";

const SECONDS_EACH = 3;
/** Processor time that no mutant, all smaller than 64 KiB, may exceed. */
const LONGEST_MS = 250;

/** Every byte of a file, without a file system in between. */
function inMemory(bytes: Uint8Array): ByteSource {
  return {
    label: "mutant",
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

interface Target {
  readonly seeds: readonly Buffer[];
  read(bytes: Buffer): Promise<unknown>;
  /** What must hold for everything that is accepted. */
  check(result: never, bytes: Buffer): void;
}

const gguf = (purpose: "inspect" | "run"): Target => ({
  seeds: [
    runnableGguf(),
    ggufBytes({
      pairs: [
        pair.string("general.architecture", "x"),
        pair.uint32("general.alignment", 64),
        pair.strings("s", ["a", "ü", ""]),
        pair.bool("b", 1),
      ],
      tensors: [
        { name: "a", dims: [256, 2], type: 12 },
        { name: "b", dims: [32, 3, 2], type: 8, offset: 320 },
        { name: "c", dims: [4], offset: 576 },
      ],
      alignment: 64,
      data: 640,
    }),
    ggufBytes({ pairs: [pair.string("general.architecture", "x")] }),
  ],
  read: (bytes) => readGguf(inMemory(bytes), { purpose }),
  check(result: Awaited<ReturnType<typeof readGguf>>, bytes) {
    for (const { offset, bytes: size, dims } of result.tensors) {
      expect(offset).toBeGreaterThanOrEqual(result.dataOffset);
      expect(offset % result.alignment).toBe(0);
      expect(offset + size).toBeLessThanOrEqual(bytes.length);
      expect(dims.length).toBeGreaterThan(0);
    }
  },
});

const targets: Readonly<Record<string, Target>> = {
  "gguf, inspect": gguf("inspect"),
  "gguf, run": gguf("run"),
  safetensors: {
    seeds: [
      vectorsFile(["model.embed_tokens.weight", "lm_head.weight", "é"], 8),
      safetensorsBytes(
        { __metadata__: { format: "pt" }, a: { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12] } },
        12,
      ),
      safetensorsBytes({ e: { dtype: "F4", shape: [2, 0], data_offsets: [0, 0] }, w: vector(1) }, 4),
    ],
    read: (bytes) => readSafetensorsHeader(inMemory(bytes)),
    check(result: Awaited<ReturnType<typeof readSafetensorsHeader>>, bytes) {
      let expected = bytes.length - result.tensors.reduce((sum, { bytes: size }) => sum + size, 0);
      for (const { offset, bytes: size } of result.tensors) {
        expect(offset).toBe(expected);
        expected += size;
      }
      expect(expected).toBe(bytes.length);
    },
  },
  json: {
    seeds: [
      Buffer.from(
        '{"a":[1,-2.5e3,"x\\u00e9\\ud83d\\ude00"],"b":{"c":null,"d":[true,false,{}]},"é":12345678901234567890}',
      ),
    ],
    read: (bytes) => Promise.resolve().then(() => parseStrictJson(bytes, { file: "mutant" })),
    check(_result: unknown, bytes) {
      expect(() => JSON.parse(bytes.toString("utf8")) as unknown).not.toThrow();
    },
  },
};

describe.each(Object.entries(targets))("%s", (_name, target) => {
  async function tryOne(bytes: Buffer): Promise<"accepted" | "refused"> {
    const processorTime = startProcessorTime();
    try {
      target.check((await target.read(bytes)) as never, bytes);
      return "accepted";
    } catch (error) {
      if (!(error instanceof UserError) || error.exit !== "badFile") {
        throw new Error(`mutant ${bytes.toString("base64")}`, { cause: error });
      }
      expectPresentable(error);
      return "refused";
    } finally {
      const milliseconds = processorTime();
      if (milliseconds > LONGEST_MS) throw new Error(`${milliseconds} ms for ${bytes.toString("base64")}`);
    }
  }

  it("accepts its seeds and refuses what is left of them when cut anywhere", async () => {
    for (const seed of target.seeds) {
      expect(await tryOne(seed)).toBe("accepted");
      for (let length = 0; length < seed.length; length++) await tryOne(seed.subarray(0, length));
    }
  });

  it("gives a valid object or a typed refusal, in bounded time, for everything else", async () => {
    const random = seededNumbers(20_251_120);
    const until = performance.now() + SECONDS_EACH * 1000;
    const outcomes = { accepted: 0, refused: 0 };
    // The least number of mutants makes a slow machine try as many as a test worth its name needs.
    for (let i = 0; i < 1000 || performance.now() < until; i++) {
      const seed = target.seeds[i % target.seeds.length] ?? Buffer.alloc(0);
      outcomes[await tryOne(mutate(seed, random))]++;
    }
    expect(outcomes.accepted).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(500);
  });
});
