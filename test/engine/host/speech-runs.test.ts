import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpeechModel, Utterance } from "../../../src/engine/host/speech-model.js";
import { convertTo, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import {
  audioToken,
  CSM_CHECKPOINTS,
  Goldens,
  loadSpeech,
  PATHS,
  snr,
  speakAll,
} from "../../helpers/speech.js";

const SAMPLING = { temperature: 0.9, topK: 5, depthTemperature: 1.1, depthTopK: 0 };

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(CSM_CHECKPOINTS)("%s", (checkpoint) => {
  const goldens = new Goldens(checkpoint);

  describe.each(PATHS)("$way", ({ plain }) => {
    let model: SpeechModel;
    const utterances: Utterance[] = [];
    beforeAll(async () => {
      const file = await convertTo(folder, repositoryFile("test/fixtures", checkpoint), "f32");
      model = await loadSpeech(file, { plain });
      for (const run of goldens.runs) {
        const prompt = await goldens.prompt(run, audioToken(checkpoint), (samples) => model.encode(samples));
        utterances.push({ ...prompt, seed: 7, maxFrames: run.max_frames });
      }
    });
    afterAll(() => model.dispose());

    it.each(goldens.runs.map((run, index) => ({ ...run, index })))(
      'speaks the greedy run "$name" as the reference does',
      async ({ name, index, stopped, samples }) => {
        for (const kvType of ["f32", "f16"] as const) {
          const [spoken] = await speakAll(model, [utterances[index]!], { kvType });
          expect(spoken!.codes, `cache ${kvType}`).toEqual([...goldens.integers(`run.${name}.codes`)]);
          expect(spoken!.end).toBe(stopped);
          expect(spoken!.audio.length).toBe(samples);
          if (name === "context") {
            expect(snr(spoken!.audio, goldens.floats("run.context.audio"))).toBeGreaterThan(60);
          }
        }
      },
    );

    it.each(["f32", "f16"] as const)(
      "speaks many at once exactly as each alone, greedily and sampled (cache %s)",
      async (kvType) => {
        // uneven lengths, and more utterances than places
        const many = [...utterances, ...utterances].map((one, i) => ({
          ...one,
          seed: 100 + i,
          maxFrames: 3 + 4 * i,
        }));
        for (const sampling of [undefined, SAMPLING]) {
          const options = { kvType, ...(sampling && { sampling }) };
          const alone = [];
          for (const one of many) alone.push(...(await speakAll(model, [one], options)));
          for (const width of [2, 3, 8]) {
            const together = await speakAll(model, many, { ...options, width });
            for (const [i, one] of together.entries()) {
              expect(one.codes, `utterance ${i}, width ${width}`).toEqual(alone[i]!.codes);
              expect(one.end).toBe(alone[i]!.end);
              // the pieces of audio fall differently, and ggml's own convolutions round by piece
              if (plain) expect(one.audio.length).toBe(alone[i]!.audio.length);
              else expect(one.audio).toEqual(alone[i]!.audio);
            }
          }
        }
      },
    );

    it("gives with two threads what it gives with one", async () => {
      const file = await convertTo(folder, repositoryFile("test/fixtures", checkpoint), "f32");
      const two = await loadSpeech(file, { plain, threads: 2 });
      const options = { sampling: SAMPLING, width: utterances.length };
      expect(await speakAll(two, utterances, options)).toEqual(await speakAll(model, utterances, options));
      two.dispose();
    });
  });
});
