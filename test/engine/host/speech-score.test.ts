import { readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../../src/engine/formats/npy.js";
import { forwardSpeech } from "../../../src/engine/host/speech-forward.js";
import type { ForwardSpeechParams } from "../../../src/engine/host/protocol.js";
import { AUDIO_FRAME, type SpeechModel } from "../../../src/engine/host/speech-model.js";
import { scoreSpeech } from "../../../src/engine/host/speech-score.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { audioToken, CSM_CHECKPOINTS, goldenClip, loadSpeech, PATHS } from "../../helpers/speech.js";

interface Reference {
  turns: { samples: number }[];
  tokens: number[];
  codes: number[][];
  loss: number;
  backbone_loss: number;
  depth_decoder_loss: number;
}

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function result<Result>(run: AsyncGenerator<unknown, Result>): Promise<Result> {
  let step = await run.next();
  while (!step.done) step = await run.next();
  return step.value;
}

describe.each(CSM_CHECKPOINTS)("%s in float32", (checkpoint) => {
  const read = (file: string) => readFileSync(repositoryFile(file), "utf8");
  const reference = JSON.parse(read(`test/reference/data/${checkpoint}-scores.json`)) as Reference;
  const config = JSON.parse(read(`test/fixtures/${checkpoint}/config.json`)) as {
    audio_eos_token_id: number;
    codebook_eos_token_id?: number;
    num_attention_heads: number;
  };
  const tokens = Int32Array.from(reference.tokens, (id) =>
    id === audioToken(checkpoint) ? AUDIO_FRAME : id,
  );
  const codes = Int32Array.from(reference.codes.flat());
  let file: string;
  beforeAll(async () => {
    file = await convertTo(folder, repositoryFile("test/fixtures", checkpoint), "f32");
  });

  describe.each(PATHS)("$way", ({ plain }) => {
    let model: SpeechModel;
    beforeAll(async () => {
      model = await loadSpeech(file, { plain });
    });
    afterAll(() => model.dispose());

    it("gives the reference's losses of a conversation", async () => {
      const clip = goldenClip();
      const encoded: number[] = [];
      let start = 0;
      for (const { samples } of reference.turns) {
        encoded.push(...(await model.encode(clip.subarray(start, start + samples))));
        start += samples;
      }
      expect(encoded).toEqual([...codes]);
      const losses = await result(
        scoreSpeech(
          model,
          {
            tokens,
            codes,
            audioEndToken: config.audio_eos_token_id,
            eosCode: config.codebook_eos_token_id ?? 0,
          },
          new AbortController().signal,
        ),
      );
      expect(Object.keys(losses)).toEqual(["loss", "backbone_loss", "depth_decoder_loss"]);
      for (const name of ["loss", "backbone_loss", "depth_decoder_loss"] as const) {
        expect(Math.abs(losses[name] - reference[name]), name).toBeLessThan(1e-4);
      }
    });

    it("gives the backbone's attention weights, states and logits", async () => {
      const expected = await readNpy(repositoryFile("test/reference/data", `${checkpoint}.attentions.npy`));
      const count = expected.shape[2]!;
      const head = tokens.slice(0, count);
      const frames = head.filter((id) => id === AUDIO_FRAME).length;
      const outputs = {
        logits: path.join(folder, "logits.npy"),
        hiddenStates: path.join(folder, "hidden_states.npy"),
        attentions: path.join(folder, "attentions.npy"),
      };
      const params: ForwardSpeechParams = {
        tokens: head,
        codes: codes.slice(0, frames * model.facts.codebooks),
        heads: config.num_attention_heads,
        outputs,
        top: 3,
      };
      const { shapes, top } = await result(forwardSpeech(model, params, new AbortController().signal));
      const attentions = await readNpy(outputs.attentions);
      expect(attentions.shape).toEqual(expected.shape);
      expect(shapes.attentions).toEqual(expected.shape);
      expect(nmse(attentions.data, expected.data)).toBeLessThan(1e-6);
      const logits = await readNpy(outputs.logits);
      expect(logits.shape).toEqual([count, model.facts.audioVocabulary]);
      expect(top[0]!.logit).toBe(Math.max(...logits.data.subarray(-model.facts.audioVocabulary)));
      const states = await readNpy(outputs.hiddenStates);
      expect(states.shape).toEqual([model.facts.layers + 1, count, model.facts.hidden]);
    });

    it("leaves no file behind when it is aborted", async () => {
      const controller = new AbortController();
      const attentions = path.join(folder, "aborted", "attentions.npy");
      const params = { tokens, codes, heads: config.num_attention_heads, outputs: { attentions }, top: 1 };
      controller.abort();
      await expect(result(forwardSpeech(model, params, controller.signal))).rejects.toThrow();
      await expect(readdir(path.dirname(attentions))).rejects.toThrow();
    });
  });
});
