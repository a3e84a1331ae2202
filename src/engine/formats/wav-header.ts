import { badFile } from "./bad-file.js";

/** How the samples of a WAV file are stored. */
export interface WavFormat {
  readonly encoding: "integer" | "float" | "alaw" | "mulaw";
  readonly channels: number;
  /** Hz */
  readonly sampleRate: number;
  readonly bitsPerSample: number;
  /** Where the samples are, in bytes; the length is a whole number of frames. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

const HINT = "Give a WAV file with samples in it; `file` or `ffprobe` says what this one is.";

/** WAVE_FORMAT_* of mmreg.h, and the bit depths that are read. */
const ENCODINGS: Readonly<Record<number, readonly [WavFormat["encoding"], readonly number[]]>> = {
  1: ["integer", [8, 16, 24, 32]],
  3: ["float", [32, 64]],
  6: ["alaw", [8]],
  7: ["mulaw", [8]],
};
const EXTENSIBLE = 0xfffe;
const MAX_CHANNELS = 64;

export function isWav(bytes: Uint8Array): boolean {
  return fourCharacters(bytes, 0) === "RIFF" && fourCharacters(bytes, 8) === "WAVE";
}

/**
 * Reads the chunks of a WAV file up to its samples. A data chunk that says it is longer than the file, as streams
 * write it, ends with the file.
 * @throws UserError WAV_FORMAT (exit 65)
 */
export function readWavHeader(bytes: Uint8Array, file: string): WavFormat {
  const refuse = (fault: string) => badFile("WAV_FORMAT", file, fault, HINT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Omit<WavFormat, "dataOffset" | "dataBytes"> | undefined;
  for (let position = 12; position + 8 <= bytes.length;) {
    const id = fourCharacters(bytes, position);
    const size = view.getUint32(position + 4, true);
    const start = position + 8;
    if (id === "fmt ") {
      if (size < 16 || start + size > bytes.length) throw refuse("the format chunk is cut short");
      format = readFormat(view, start, size, refuse);
    } else if (id === "data") {
      if (!format) throw refuse("the samples come before their format");
      const frameBytes = (format.bitsPerSample / 8) * format.channels;
      const available = Math.min(size, bytes.length - start);
      return { ...format, dataOffset: start, dataBytes: available - (available % frameBytes) };
    }
    // Chunks begin at even positions.
    position = start + size + (size % 2);
  }
  throw refuse(format ? "it holds no samples" : "it holds no format chunk");
}

function readFormat(
  view: DataView,
  start: number,
  size: number,
  refuse: (fault: string) => Error,
): Omit<WavFormat, "dataOffset" | "dataBytes"> {
  const stated = view.getUint16(start, true);
  if (stated === EXTENSIBLE && size < 40) throw refuse("the extensible format chunk is cut short");
  const tag = stated === EXTENSIBLE ? view.getUint16(start + 24, true) : stated;
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const blockAlign = view.getUint16(start + 12, true);
  const bitsPerSample = view.getUint16(start + 14, true);
  const known = ENCODINGS[tag];
  if (!known)
    throw refuse(`samples of WAVE format ${tag} are not read (integers, floats, A-law and mu-law are)`);
  const [encoding, depths] = known;
  if (!depths.includes(bitsPerSample)) {
    throw refuse(`samples of ${bitsPerSample} bits are not read, ${depths.join(", ")} are`);
  }
  if (channels < 1 || channels > MAX_CHANNELS)
    throw refuse(`${channels} channels, expected 1 to ${MAX_CHANNELS}`);
  if (blockAlign !== (bitsPerSample / 8) * channels) {
    throw refuse(`frames of ${blockAlign} bytes do not fit ${channels} channels of ${bitsPerSample} bits`);
  }
  if (sampleRate === 0) throw refuse("a rate of 0 samples per second");
  return { encoding, channels, sampleRate, bitsPerSample };
}

function fourCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
