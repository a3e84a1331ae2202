import { isWav, readWavHeader, type WavFormat } from "../formats/wav-header.js";
import { decodeCompressed } from "./decode-compressed.js";

/** Samples of an audio file, one array per channel, all of the same length. */
export interface DecodedAudio {
  readonly channels: readonly Float32Array[];
  /** Hz */
  readonly sampleRate: number;
}

/**
 * Decodes a whole audio file: WAV, and whatever else the library recognises (FLAC, MP3, Ogg, Opus, AAC, AIFF).
 * WAV samples are scaled as libsndfile scales them: integers by 2^-(bits - 1).
 * @throws UserError WAV_FORMAT, AUDIO_FORMAT, AUDIO_TOO_LARGE, AUDIO_TOO_SLOW (exit 65); AbortError
 */
export async function decodeAudio(
  bytes: Uint8Array,
  file: string,
  signal?: AbortSignal,
): Promise<DecodedAudio> {
  return isWav(bytes) ? decodeWav(bytes, readWavHeader(bytes, file)) : decodeCompressed(bytes, file, signal);
}

/** What the strict reader has understood is as long as the file: it needs no limits. */
async function decodeWav(bytes: Uint8Array, format: WavFormat): Promise<DecodedAudio> {
  const { sampleRate, encoding, bitsPerSample } = format;
  if (format.dataBytes === 0) {
    return { channels: Array.from({ length: format.channels }, () => new Float32Array(0)), sampleRate };
  }
  // Loaded when the first clip comes: most runs have none.
  const { default: decode } = await import("audio-decode");
  const { channelData } = await decode(canonicalWav(bytes, format));
  const channels =
    encoding === "integer" ? channelData.map((data) => rescaled(data, bitsPerSample)) : channelData;
  return { channels, sampleRate };
}

/** The library sees what the strict reader has understood and nothing else: a format chunk and the samples. */
function canonicalWav(bytes: Uint8Array, format: WavFormat): Uint8Array {
  const { encoding, channels, sampleRate, bitsPerSample, dataOffset, dataBytes } = format;
  const head = Buffer.alloc(44);
  const frameBytes = (bitsPerSample / 8) * channels;
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(Math.min(36 + dataBytes, 0xffffffff), 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE({ integer: 1, float: 3, alaw: 6, mulaw: 7 }[encoding], 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(Math.min(sampleRate * frameBytes, 0xffffffff), 28);
  head.writeUInt16LE(frameBytes, 32);
  head.writeUInt16LE(bitsPerSample, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(dataBytes, 40);
  return Buffer.concat([head, bytes.subarray(dataOffset, dataOffset + dataBytes)]);
}

/** The library scales positive integers by 1 / (2^(bits - 1) - 1), negative ones by 2^-(bits - 1). */
function rescaled(samples: Float32Array, bits: number): Float32Array {
  const most = 2 ** (bits - 1) - 1;
  return samples.map((value) => (value > 0 ? Math.round(value * most) / (most + 1) : value));
}
