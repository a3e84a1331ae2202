import { copyFile, open, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineProcess } from "../../../src/engine/client/engine-process.js";
import { readModelFacts } from "../../../src/engine/client/model-facts.js";
import { SpeechSession } from "../../../src/engine/client/speech-session.js";
import type { SpeakParams } from "../../../src/engine/host/protocol.js";
import type { SpokenChunk } from "../../../src/engine/host/speech-model.js";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { goldenClip } from "../../helpers/speech.js";

/** Never stops by itself: sampled at a temperature that makes all codes alike. */
const ENDLESS = { temperature: 1e6, topK: 0, depthTemperature: 1e6, depthTopK: 0 };

let folder: string;
let file: string;
let session: SpeechSession;

async function openSpeech(path: string): Promise<SpeechSession> {
  return SpeechSession.open({
    process: new EngineProcess(),
    engineFolder: await engineFolder(),
    facts: await readModelFacts(path),
    threads: 1,
  });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  file = await convertTo(folder, repositoryFile("test/fixtures/csm-six"), "f32");
  session = await openSpeech(file);
});
afterAll(async () => {
  await session.close();
  await rm(folder, { recursive: true, force: true });
});

function params(positions: number, maxFrames: number): SpeakParams {
  const tokens = new Int32Array(positions).fill(3);
  return {
    utterances: [{ tokens, codes: new Int32Array(0), seed: 1, maxFrames }],
    width: 1,
    kvType: "f32",
    sampling: ENDLESS,
  };
}

async function collect(chunks: AsyncIterable<SpokenChunk>): Promise<{ frames: number; end: string }> {
  let frames = 0;
  let end = "none";
  for await (const chunk of chunks) {
    frames += chunk.codes.length / session.loaded.codebooks;
    end = chunk.end;
  }
  return { frames, end };
}

describe("SpeechSession", () => {
  it("tells the model's sizes", () => {
    expect(session.loaded).toMatchObject({
      codebooks: 6,
      codebookSize: 32,
      audioVocabulary: 35,
      context: 2048,
      sampleRate: 24000,
      samplesPerFrame: 1920,
    });
  });

  it("carries clips to codes and codes to audio", async () => {
    const clip = goldenClip();
    const codes = await session.encode(clip);
    expect(codes.length).toBe(Math.ceil(clip.length / 1920) * 6);
    let samples = 0;
    for await (const piece of session.decode(codes)) samples += piece.length;
    expect(samples).toBe((codes.length / 6) * 1920);
    expect(await session.encode(new Float32Array(0))).toHaveLength(0);
    expect(await session.encode(new Float32Array(1))).toHaveLength(6);
  });

  it("speaks up to the cap, and up to the last position of the model", async () => {
    expect(await collect(session.speak(params(5, 30)))).toEqual({ frames: 30, end: "cap" });
    expect(await collect(session.speak(params(2040, 100)))).toEqual({ frames: 9, end: "context" });
    expect(await collect(session.speak(params(2048, 100)))).toEqual({ frames: 1, end: "context" });
  });

  it("refuses a prompt that is longer than the model's positions", async () => {
    await expect(collect(session.speak(params(2049, 1)))).rejects.toMatchObject({
      code: "CONTEXT_TOO_LONG",
      exit: "usage",
    });
  });

  it("starts with a small piece, so that audio comes early", async () => {
    for await (const { codes, audio } of session.speak(params(5, 30))) {
      expect(codes).toHaveLength(session.loaded.codebooks);
      expect(audio).toHaveLength(session.loaded.samplesPerFrame);
      break;
    }
  });

  it("stops soon after an abort, and speaks again", async () => {
    const controller = new AbortController();
    let frames = 0;
    const run = async () => {
      for await (const { codes } of session.speak(params(5, 2000), controller.signal)) {
        frames += codes.length / session.loaded.codebooks;
        controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ name: "AbortError" });
    expect(frames).toBeGreaterThan(0);
    expect(frames).toBeLessThan(2000);
    expect(await collect(session.speak(params(5, 12)))).toEqual({ frames: 12, end: "cap" });
  });

  it("stops when the caller leaves the loop, and while it reads a prompt or a clip", async () => {
    for await (const _ of session.speak(params(5, 2000))) break;
    const early = new AbortController();
    const reading = collect(session.speak(params(2000, 40), early.signal));
    early.abort();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    const encoding = new AbortController();
    const codes = session.encode(new Float32Array(24000 * 60), encoding.signal);
    encoding.abort();
    await expect(codes).rejects.toMatchObject({ name: "AbortError" });
    expect(await collect(session.speak(params(5, 12)))).toEqual({ frames: 12, end: "cap" });
  });

  it("reports ids and codes that the model does not have", async () => {
    const wrong = params(3, 5);
    wrong.utterances[0]!.tokens[1] = 100000;
    await expect(collect(session.speak(wrong))).rejects.toThrow("token id 100000");
  });

  it("refuses a file whose contents are not what the metadata says", async () => {
    const broken = path.join(folder, "broken.gguf");
    await copyFile(file, broken);
    const handle = await open(broken, "r+");
    const { buffer } = await handle.read(Buffer.alloc(65536), 0, 65536, 0);
    const at = buffer.indexOf("csm.depth.feed_forward_length");
    buffer.writeUInt32LE(66, at + "csm.depth.feed_forward_length".length + 4);
    await handle.write(buffer, 0, 65536, 0);
    await handle.close();
    await expect(openSpeech(broken)).rejects.toMatchObject({ code: "SPEECH_LOAD", exit: "badFile" });
  });
});
