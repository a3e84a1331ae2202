import { wavHeader, wavSamples } from "../../src/engine/formats/wav-writer.js";
import { readWavHeader } from "../../src/engine/formats/wav-header.js";

/** A mono 16-bit WAV file; samples at 16-bit resolution are kept exactly. */
export function wavFile(samples: Float32Array, sampleRate = 24000): Buffer {
  const kind = { sampleRate, float: false };
  const data = wavSamples(samples, kind);
  return Buffer.concat([wavHeader(kind, {}, data.length), data]);
}

/** Samples of a mono WAV file that parley wrote, 16-bit or float. */
export function samplesOf(bytes: Buffer): Float32Array {
  const { dataOffset, dataBytes, encoding } = readWavHeader(bytes, "test");
  const data = bytes.subarray(dataOffset, dataOffset + dataBytes);
  if (encoding === "float")
    return Float32Array.from({ length: dataBytes / 4 }, (_, i) => data.readFloatLE(i * 4));
  return Float32Array.from({ length: dataBytes / 2 }, (_, i) => data.readInt16LE(i * 2) / 32768);
}
