import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NativeSpeech } from "../../../src/engine/host/speech-binding.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { audioToken, CSM_CHECKPOINTS, Goldens, loadNative, PATHS } from "../../helpers/speech.js";

/** In float32 (DESIGN: "Truth"). */
const MOST_NMSE = 1e-6;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Layer by layer, so that the first wrong one is named. */
function expectLayers(states: Float32Array, reference: Float32Array, layers: number): void {
  expect(states.length).toBe(reference.length);
  const length = reference.length / (layers + 1);
  for (let layer = 0; layer <= layers; layer++) {
    const part = (all: Float32Array) => all.subarray(layer * length, (layer + 1) * length);
    expect(nmse(part(states), part(reference)), `output of layer ${layer}`).toBeLessThan(MOST_NMSE);
  }
}

describe.each(CSM_CHECKPOINTS)("%s", (checkpoint) => {
  const goldens = new Goldens(checkpoint);
  const context = goldens.runs.find(({ name }) => name === "context")!;

  describe.each(PATHS)("$way", ({ plain }) => {
    let native: NativeSpeech;
    let layers: number;
    let depthLayers: number;
    beforeAll(async () => {
      const file = await convertTo(folder, repositoryFile("test/fixtures", checkpoint), "f32");
      const loaded = await loadNative(file, { plain });
      native = loaded.native;
      layers = loaded.facts.layers;
      depthLayers = loaded.facts.depthLayers;
    });
    afterAll(() => native.dispose());

    it("has the reference's backbone states and logits", async () => {
      const { tokens, codes } = await goldens.prompt(context, audioToken(checkpoint), (samples) => {
        native.resetCodec();
        return native.encode(samples);
      });
      const { states, logits } = await native.backbone(tokens, codes);
      expectLayers(states, goldens.floats("backbone.hidden"), layers);
      expect(nmse(logits, goldens.floats("backbone.logits"))).toBeLessThan(MOST_NMSE);
    });

    it("has the reference's depth decoder states and logits, for several frames at once too", async () => {
      const hidden = goldens.floats("depth.input");
      const codes = goldens.integers("depth.codes");
      const one = await native.depth(hidden, codes);
      expectLayers(one.states, goldens.floats("depth.hidden"), depthLayers);
      expect(nmse(one.logits, goldens.floats("depth.logits"))).toBeLessThan(MOST_NMSE);

      const twice = await native.depth(
        Float32Array.of(...hidden, ...hidden),
        Int32Array.of(...codes, ...codes),
      );
      const frame = one.logits.length;
      expect(nmse(twice.logits.subarray(0, frame), one.logits)).toBeLessThan(MOST_NMSE);
      expect(nmse(twice.logits.subarray(frame), one.logits)).toBeLessThan(MOST_NMSE);
    });

    it("stops in the middle of a prompt, and works afterwards", async () => {
      const tokens = new Int32Array(1500).fill(1);
      const running = native.backbone(tokens, new Int32Array(0));
      native.cancel();
      await expect(running).rejects.toThrow("stopped");
      const hidden = goldens.floats("depth.input");
      const codes = goldens.integers("depth.codes");
      expect(nmse((await native.depth(hidden, codes)).logits, goldens.floats("depth.logits"))).toBeLessThan(
        MOST_NMSE,
      );
    });

    it("refuses ids and codes outside their tables", async () => {
      await expect(native.backbone(Int32Array.of(1 << 20), new Int32Array(0))).rejects.toThrow("token id");
      await expect(native.backbone(Int32Array.of(-1), new Int32Array(0))).rejects.toThrow("codes for");
      const codes = goldens.integers("depth.codes").map(() => 5000);
      await expect(native.backbone(Int32Array.of(-1), codes)).rejects.toThrow("code 5000");
    });
  });
});
