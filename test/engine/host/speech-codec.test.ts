import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NativeSpeech, SpeechFacts } from "../../../src/engine/host/speech-binding.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { CSM_CHECKPOINTS, goldenClip, Goldens, loadNative, PATHS, snr } from "../../helpers/speech.js";

const MOST_NMSE = 1e-6;
const LEAST_SNR_DB = 60;

/** Samples that the reference's stages were recorded with (make_csm_goldens.py). */
const STAGE_SAMPLES = 2500;

const clip = goldenClip();
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The reference's module of a stage: layers of MimiEncoder and MimiDecoder are convolutions and activations in a row. */
function referenceName(stage: string, stages: number, blocks: number): string {
  const perStage = blocks + 2;
  const last = 1 + stages * perStage + 1;
  const inside = /^(encoder|decoder)\.(\d+)\.(resample|residual\.(\d+))$/.exec(stage);
  if (inside) {
    const [, side, index, what, block] = inside;
    const start = Number(index) * perStage;
    if (side === "encoder")
      return `mimi.encoder.${start + (what === "resample" ? blocks + 2 : 1 + Number(block))}`;
    return `mimi.decoder.${start + (what === "resample" ? 2 : 3 + Number(block))}`;
  }
  const edge = /^(encoder|decoder)\.(input|output)$/.exec(stage);
  return edge ? `mimi.${edge[1]}.${edge[2] === "input" ? 0 : last}` : `mimi.${stage}`;
}

/** Splits a length into parts, in turn from `sizes`. */
function split(length: number, sizes: readonly number[]): [start: number, end: number][] {
  const parts: [number, number][] = [];
  for (let start = 0, i = 0; start < length; i++) {
    const end = Math.min(length, start + sizes[i % sizes.length]!);
    parts.push([start, end]);
    start = end;
  }
  return parts;
}

describe.each(CSM_CHECKPOINTS)("%s", (checkpoint) => {
  const goldens = new Goldens(checkpoint);
  const lengths = goldens.names.flatMap((name) => /^mimi\.clip\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);

  describe.each(PATHS)("$way", ({ plain }) => {
    let native: NativeSpeech;
    let facts: SpeechFacts;
    beforeAll(async () => {
      const file = await convertTo(folder, repositoryFile("test/fixtures", checkpoint), "f32");
      ({ native, facts } = await loadNative(file, { plain }));
    });
    afterAll(() => native.dispose());

    const encode = async (samples: Float32Array): Promise<number[]> => {
      native.resetCodec();
      return [...(await native.encode(samples))];
    };
    const decode = async (codes: Int32Array): Promise<number[]> => {
      native.resetCodec();
      return [...(await native.decode(codes))];
    };

    it("has the reference's output after every stage", async () => {
      const all = {
        ...(await native.codecStages(clip.subarray(0, STAGE_SAMPLES))),
        ...(await native.codecStages(goldens.integers("mimi.codes"))),
      };
      const stages = Object.keys(all).filter((name) => /^encoder\.\d+\.resample$/.test(name)).length;
      const blocks = Object.keys(all).filter((name) => /^encoder\.0\.residual\.\d+$/.test(name)).length;
      const seen: string[] = [];
      for (const [stage, output] of Object.entries(all)) {
        if (stage.endsWith(".narrow")) continue; // inside a block, which the reference shows as a whole
        const name = referenceName(stage, stages, blocks);
        const reference = stage.includes("transformer") ? goldens.floats(name) : goldens.transposed(name);
        expect(nmse(output, reference), stage).toBeLessThan(MOST_NMSE);
        seen.push(name);
      }
      const recorded = goldens.names.filter((name) => /^mimi\.(en|de)coder|sample$|quantized$/.test(name));
      expect(seen.sort()).toEqual(recorded.sort());
    });

    it.each(lengths)("encodes %d samples to the reference's codes", async (length) => {
      expect(await encode(clip.subarray(0, length))).toEqual([...goldens.integers(`mimi.clip.${length}`)]);
    });

    it("decodes to the reference's audio", async () => {
      const audio = await decode(goldens.integers("mimi.decode.codes"));
      expect(snr(audio, goldens.floats("mimi.decode.audio"))).toBeGreaterThan(LEAST_SNR_DB);
    });

    it.each([[[1]], [[2]], [[1, 3]], [[5, 1]], [[8]], [[11]]])(
      "decodes in pieces of %j frames as in one piece",
      async (sizes) => {
        const codes = goldens.integers("mimi.decode.codes");
        const whole = await decode(codes);
        native.resetCodec();
        const pieces: number[] = [];
        for (const [start, end] of split(codes.length / facts.codebooks, sizes)) {
          const part = codes.subarray(start * facts.codebooks, end * facts.codebooks);
          pieces.push(...(await native.decode(part)));
        }
        if (plain) expect(snr(pieces, whole)).toBeGreaterThan(100);
        else expect(pieces).toEqual(whole);
      },
    );

    it.each([[[1]], [[2]], [[1, 3]], [[8, 1]], [[9]]])(
      "encodes in pieces of %j frames as in one piece",
      async (sizes) => {
        for (const length of [clip.length, 9601]) {
          const samples = clip.subarray(0, length);
          const whole = await encode(samples);
          native.resetCodec();
          const pieces: number[] = [];
          const inSamples = sizes.map((frames) => frames * facts.samplesPerFrame);
          for (const [start, end] of split(samples.length, inSamples)) {
            pieces.push(...(await native.encode(samples.subarray(start, end))));
          }
          expect(pieces).toEqual(whole);
        }
      },
    );

    it("takes reserved codes for silence instead of reading behind the codebooks", async () => {
      const codes = goldens.integers("mimi.decode.codes");
      const reserved = codes.map((code, i) => (i % 5 === 0 ? facts.codebookSize + (i % 3) : code));
      const zeroed = codes.map((code, i) => (i % 5 === 0 ? 0 : code));
      expect(await decode(reserved)).toEqual(await decode(zeroed));
    });
  });
});
