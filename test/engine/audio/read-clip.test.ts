import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readClip } from "../../../src/engine/audio/read-clip.js";
import { resample } from "../../../src/engine/audio/resample.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "parley-audio-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Stored {
  tag: number;
  bits: number;
  channels?: number;
  rate?: number;
  data: Buffer;
  /** before the samples: a chunk of odd size */
  oddChunk?: boolean;
  extensible?: boolean;
  dataSize?: number;
}

async function stored(name: string, sound: Stored): Promise<string> {
  const { tag, bits, channels = 1, rate = 24000, data, oddChunk, extensible, dataSize } = sound;
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE((rate * channels * bits) / 8, 8);
  format.writeUInt16LE((channels * bits) / 8, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) format.writeUInt16LE(tag, 24);
  const chunk = (id: string, body: Buffer, size = body.length) => {
    const head = Buffer.alloc(8);
    head.write(id, 0, "latin1");
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const chunks = [chunk("fmt ", format), ...(oddChunk ? [chunk("note", Buffer.from("odd"))] : [])];
  const body = Buffer.concat([Buffer.from("WAVE"), ...chunks, chunk("data", data, dataSize)]);
  const file = path.join(folder, name);
  await writeFile(file, chunk("RIFF", body));
  return file;
}

const read = async (name: string, sound: Stored) => [
  ...(await readClip(await stored(name, sound), 24000)).samples,
];
const int16 = (...values: number[]) => Buffer.from(Int16Array.from(values).buffer);

describe("readClip", () => {
  it("scales integers of every depth by their largest negative value", async () => {
    const eight = await read("8.wav", { tag: 1, bits: 8, data: Buffer.from([0, 64, 128, 192, 255]) });
    expect(eight).toEqual([-1, -0.5, 0, 0.5, 127 / 128]);
    const sixteen = await read("16.wav", { tag: 1, bits: 16, data: int16(-32768, -1, 0, 1, 12345, 32767) });
    expect(sixteen).toEqual([-1, -1 / 32768, 0, 1 / 32768, 12345 / 32768, 32767 / 32768]);
    const bytes = Buffer.from([0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0x7f]);
    const wide = await read("24.wav", { tag: 1, bits: 24, data: bytes });
    expect(wide).toEqual([-1, 1 / 8388608, 8388607 / 8388608].map(Math.fround));
    const widest = await read("32.wav", {
      tag: 1,
      bits: 32,
      data: Buffer.from(Int32Array.of(-(2 ** 31), 2 ** 30).buffer),
    });
    expect(widest).toEqual([-1, 0.5]);
  });

  it("reads floats of both widths beyond full scale", async () => {
    const values = [-1.5, 0.25, 3];
    const single = { tag: 3, bits: 32, data: Buffer.from(Float32Array.from(values).buffer) };
    expect(await read("f32.wav", single)).toEqual(values);
    const double = { tag: 3, bits: 64, data: Buffer.from(Float64Array.from(values).buffer) };
    expect(await read("f64.wav", double)).toEqual(values);
  });

  it("averages channels, and finds the samples behind odd chunks, in extensible files and in streams", async () => {
    const data = int16(16384, -16384, 8192, 8192, 0, 32767);
    expect(await read("two.wav", { tag: 1, bits: 16, channels: 2, data })).toEqual([0, 0.25, 32767 / 65536]);
    const short = int16(100, 200);
    const wanted = [100 / 32768, 200 / 32768];
    expect(await read("odd.wav", { tag: 1, bits: 16, data: short, oddChunk: true })).toEqual(wanted);
    expect(await read("ext.wav", { tag: 1, bits: 16, data: short, extensible: true })).toEqual(wanted);
    expect(await read("stream.wav", { tag: 1, bits: 16, data: short, dataSize: 0xffffffff })).toEqual(wanted);
  });

  it("says whether there is any sound, and how long the file was", async () => {
    const file = await stored("quiet.wav", {
      tag: 1,
      bits: 16,
      rate: 8000,
      data: int16(...new Array<number>(800).fill(0)),
    });
    const clip = await readClip(file, 24000);
    expect([clip.isSilent, clip.seconds, clip.samples.length]).toEqual([true, 0.1, 2400]);
  });

  const refused: [string, Stored, string][] = [
    ["no samples", { tag: 1, bits: 16, data: Buffer.alloc(0) }, "AUDIO_EMPTY"],
    ["half a sample", { tag: 1, bits: 16, data: Buffer.alloc(1) }, "AUDIO_EMPTY"],
    ["12 bits", { tag: 1, bits: 12, data: Buffer.alloc(12) }, "WAV_FORMAT"],
    ["an unknown format", { tag: 0x55, bits: 16, data: Buffer.alloc(12) }, "WAV_FORMAT"],
    ["no channels", { tag: 1, bits: 16, channels: 0, data: Buffer.alloc(12) }, "WAV_FORMAT"],
    ["no rate", { tag: 1, bits: 16, rate: 0, data: Buffer.alloc(12) }, "WAV_FORMAT"],
    ["a rate that cannot be changed", { tag: 1, bits: 16, rate: 50, data: Buffer.alloc(12) }, "AUDIO_RATE"],
    [
      "infinite samples",
      { tag: 3, bits: 32, data: Buffer.from(Float32Array.of(0, Infinity).buffer) },
      "AUDIO_VALUES",
    ],
  ];
  it.each(refused)("refuses %s", async (name, sound, code) => {
    const file = await stored(`${name.replaceAll(" ", "-")}.wav`, sound);
    await expect(readClip(file, 24000)).rejects.toMatchObject({ code, exitCode: 65 });
  });
});

describe("resample", () => {
  const tone = (rate: number, count: number) =>
    Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate + 0.3));

  it.each([8000, 11025, 16000, 22050, 44100, 48000, 192000])(
    "keeps a tone of 440 Hz from %i Hz",
    async (rate) => {
      const count = rate / 2 + 7;
      const made = await resample(tone(rate, Math.floor(count)), rate, 24000);
      expect(made.length).toBe(Math.ceil((Math.floor(count) * 24000) / rate));
      const wanted = tone(24000, made.length);
      // Away from the ends, where silence begins.
      const middle = [...made.keys()].slice(1000, -1000);
      const error = middle.reduce((sum, i) => sum + (made[i]! - wanted[i]!) ** 2, 0);
      const power = middle.reduce((sum, i) => sum + wanted[i]! ** 2, 0);
      expect(10 * Math.log10(power / error)).toBeGreaterThan(100);
      // The last samples come too: nothing is lost in the filter.
      const tail = [...made.keys()].slice(-200, -50);
      expect(Math.max(...tail.map((i) => Math.abs(made[i]! - wanted[i]!)))).toBeLessThan(0.05);
    },
  );

  it("takes away what the new rate cannot hold", async () => {
    const high = Float32Array.from({ length: 48000 }, (_, i) => Math.sin((2 * Math.PI * 15000 * i) / 48000));
    const made = await resample(high, 48000, 24000);
    expect(Math.max(...made.subarray(2000, -2000).map(Math.abs))).toBeLessThan(1e-4);
  });

  it("makes of one sample as many as the rates say", async () => {
    expect((await resample(Float32Array.of(0.5), 8000, 24000)).length).toBe(3);
    expect((await resample(Float32Array.of(0.5), 48000, 24000)).length).toBe(1);
    expect([...(await resample(Float32Array.of(0.5), 24000, 24000))]).toEqual([0.5]);
  });
});
