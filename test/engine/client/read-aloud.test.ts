import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineProcess } from "../../../src/engine/client/engine-process.js";
import { readModelFacts } from "../../../src/engine/client/model-facts.js";
import { readAloud, type ReadChunk } from "../../../src/engine/client/read-aloud.js";
import { NO_TURNS } from "../../../src/engine/client/speech-prompt.js";
import { SpeechSession } from "../../../src/engine/client/speech-session.js";
import type { SpeakParams } from "../../../src/engine/host/protocol.js";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../../helpers/models.js";

const REQUEST = { kvType: "f32", seed: 5, sampling: {} } as const;

const lines = (...texts: string[]) => texts.map((text) => ({ speaker: 0, text }));

let folder: string;
let session: SpeechSession;
beforeAll(async () => {
  folder = await temporaryFolder();
  const file = await convertTo(folder, repositoryFile("test/fixtures/csm-six"), "f32");
  const [facts, engine] = [await readModelFacts(file), await engineFolder()];
  session = await SpeechSession.open({
    process: new EngineProcess(),
    engineFolder: engine,
    facts,
    threads: 1,
  });
});
afterAll(async () => {
  await session.close();
  await rm(folder, { recursive: true, force: true });
});

/** The session, with what it was asked for. */
function recorded(): { session: SpeechSession; asked: SpeakParams[] } {
  const asked: SpeakParams[] = [];
  const { speech } = session.facts;
  const watched = Object.create(session, {
    // short parts
    facts: { value: { ...session.facts, speech: { ...speech!, maxFrames: 6 } } },
    speak: {
      value: (params: SpeakParams, signal?: AbortSignal) => {
        asked.push(params);
        return session.speak(params, signal);
      },
    },
  }) as SpeechSession;
  return { session: watched, asked };
}

async function collect(chunks: AsyncIterable<ReadChunk>): Promise<ReadChunk[]> {
  const all: ReadChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

describe("readAloud", () => {
  it("speaks every part, each behind the audio of those before it", async () => {
    const { session: watched, asked } = recorded();
    const chunks = await collect(readAloud(watched, lines("one", "two", "three", "four"), NO_TURNS, REQUEST));
    expect([...new Set(chunks.map(({ part }) => part))]).toEqual([0, 1, 2, 3]);
    expect(chunks.filter(({ end }) => end !== "none").length).toBe(4);
    expect(chunks.reduce((sum, { audio }) => sum + audio.length, 0)).toBeGreaterThan(0);

    const prompts = asked.map(({ utterances }) => utterances[0]!);
    const { codebooks } = session.loaded;
    for (const [i, { tokens, codes }] of prompts.entries()) {
      const frames = tokens.filter((token) => token < 0).length;
      expect(frames * codebooks, `part ${i}`).toBe(codes.length);
      // a frame of zeros ends the speech and is no part of the audio
      expect(codes.length % codebooks).toBe(0);
      const ends = tokens.filter((token) => token === session.facts.speech!.audioEndToken).length;
      expect(ends, `turns heard before part ${i}`).toBe(Math.min(i, 2));
    }
    expect(prompts[1]!.codes.length).toBeGreaterThan(0);
    // the part before the next one begins with what the one before it was asked to say
    expect([...prompts[1]!.tokens.slice(0, prompts[0]!.tokens.length)]).toEqual([...prompts[0]!.tokens]);
  });

  it("says the same with the same seed", async () => {
    const audio = async () =>
      (await collect(readAloud(recorded().session, lines("one", "two"), NO_TURNS, REQUEST))).flatMap(
        (chunk) => [...chunk.audio],
      );
    expect(await audio()).toEqual(await audio());
  });

  it("stops in the middle, with what was spoken", async () => {
    const controller = new AbortController();
    const chunks: ReadChunk[] = [];
    const parts = lines(...Array.from({ length: 200 }, (_, i) => `part ${i}`));
    const reading = (async () => {
      for await (const chunk of readAloud(recorded().session, parts, NO_TURNS, REQUEST, controller.signal)) {
        chunks.push(chunk);
        if (chunk.part === 3) controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    expect(chunks.at(-1)!.part).toBe(3);
  });
});
