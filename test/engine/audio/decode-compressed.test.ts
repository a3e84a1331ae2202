import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCompressed } from "../../../src/engine/audio/decode-compressed.js";
import { readClip } from "../../../src/engine/audio/read-clip.js";
import { constantFlac } from "../../helpers/flac.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "parley-audio-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ROOMY = { milliseconds: 60_000, memoryBytes: 2 ** 30, samples: 2 ** 24 };
const HINT = "`ffmpeg -i FILE";
/** 30,000 frames of 65,535 samples on eight channels: 60 GB of float32 in 1.1 MB */
const bomb = () =>
  constantFlac({
    frames: Array.from({ length: 30_000 }, () => [1, 2, 3, 4, 5, 6, 7, 8]),
    frameSamples: 65_535,
  });

describe("decodeCompressed", () => {
  it("decodes FLAC, channel by channel", async () => {
    const file = constantFlac({
      frames: [
        [16384, -16384],
        [-32768, 8192],
      ],
      frameSamples: 100,
    });
    const { channels, sampleRate } = await decodeCompressed(file, "clip.flac");
    expect(sampleRate).toBe(24_000);
    const twice = (first: number, second: number) => [
      ...new Array<number>(100).fill(first),
      ...new Array<number>(100).fill(second),
    ];
    // the decoder scales positive samples by 1/32767
    const rounded = (samples: Float32Array) =>
      Array.from(samples, (value) => Math.round(value * 1000) / 1000);
    expect(channels.map(rounded)).toEqual([twice(0.5, -1), twice(-0.5, 0.25)]);
    const clip = path.join(folder, "clip.flac");
    await writeFile(clip, file);
    expect(rounded((await readClip(clip, 24_000)).samples)).toEqual(twice(0, -0.375));
  });

  it("stops a small file that holds days of sound before it fills the memory", async () => {
    const before = process.memoryUsage.rss();
    await expect(decodeCompressed(bomb(), "bomb.flac", undefined, ROOMY)).rejects.toMatchObject({
      code: "AUDIO_TOO_LARGE",
      exitCode: 65,
      message: `bomb.flac: decoded it takes more than ${ROOMY.memoryBytes} bytes of memory`,
      hint: expect.stringContaining(HINT) as string,
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 * ROOMY.memoryBytes);
  });

  it("stops what takes too long", async () => {
    await expect(
      decodeCompressed(bomb(), "slow.flac", undefined, { ...ROOMY, memoryBytes: 2 ** 40, milliseconds: 30 }),
    ).rejects.toMatchObject({ code: "AUDIO_TOO_SLOW", exitCode: 65 });
  });

  it("refuses more samples than a clip may have", async () => {
    const file = constantFlac({ frames: [[1], [2], [3]], frameSamples: 4096 });
    await expect(
      decodeCompressed(file, "long.flac", undefined, { ...ROOMY, samples: 3 * 4096 - 1 }),
    ).rejects.toMatchObject({
      code: "AUDIO_TOO_LARGE",
      message: expect.stringContaining("12288 samples") as string,
    });
    const { channels } = await decodeCompressed(file, "long.flac", undefined, {
      ...ROOMY,
      samples: 3 * 4096,
    });
    expect(channels[0]).toHaveLength(3 * 4096);
  });

  it("ends with the signal", async () => {
    const controller = new AbortController();
    const running = decodeCompressed(bomb(), "bomb.flac", controller.signal, ROOMY);
    setTimeout(() => controller.abort(), 50);
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });

  it("refuses what is no audio, and says why", async () => {
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff));
    const cut = bomb().subarray(0, 50);
    const cases: [string, Uint8Array][] = [
      ["text", Buffer.from("this is no audio".repeat(20))],
      ["noise", noise],
      ["an empty file", Buffer.alloc(0)],
      ["MP3 of noise", Buffer.concat([Buffer.from([0xff, 0xfb]), noise])],
      ["Ogg of noise", Buffer.concat([Buffer.from("OggS"), noise])],
      ["FLAC of noise", Buffer.concat([cut.subarray(0, 42), noise])],
    ];
    for (const [name, bytes] of cases) {
      const clip = path.join(folder, "no-audio");
      await writeFile(clip, bytes);
      await expect(readClip(clip, 24_000), name).rejects.toMatchObject({
        code: expect.stringMatching(/^AUDIO_(FORMAT|EMPTY)$/) as string,
        exitCode: 65,
      });
    }
  });
});
