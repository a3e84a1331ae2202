import { badFile } from "../formats/bad-file.js";
import { openFileSource } from "../formats/byte-source.js";
import { decodeAudio } from "./decode-audio.js";
import { resample } from "./resample.js";

/** Mono audio. */
export interface Clip {
  readonly samples: Float32Array;
  /** Seconds of the file. */
  readonly seconds: number;
  readonly isSilent: boolean;
}

const MAX_BYTES = 2 ** 30;
/** What the resampler can do (SRC_MAX_RATIO of libsamplerate). */
const MAX_RATIO = 256;

/**
 * Reads an audio file of any rate and channel count: channels are averaged, then the rate is changed.
 * @param sampleRate Hz
 * @throws UserError FILE_NOT_FOUND, NOT_A_FILE (exit 66), AUDIO_TOO_LARGE, AUDIO_EMPTY, AUDIO_RATE, AUDIO_VALUES and
 *         what decodeAudio throws (exit 65)
 */
export async function readClip(file: string, sampleRate: number, signal?: AbortSignal): Promise<Clip> {
  const audio = await decodeAudio(await readBytes(file), file, signal);
  const mono = mix(audio.channels);
  const refuse = (code: string, fault: string, hint: string) => badFile(code, file, fault, hint);
  if (mono.length === 0) throw refuse("AUDIO_EMPTY", "it holds no samples", "Give a clip with sound in it.");
  const ratio = audio.sampleRate / sampleRate;
  if (!(ratio <= MAX_RATIO && ratio >= 1 / MAX_RATIO)) {
    const fault = `${audio.sampleRate} samples per second cannot become ${sampleRate}`;
    throw refuse("AUDIO_RATE", fault, "Change the rate with another program first.");
  }
  const bad = mono.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw refuse("AUDIO_VALUES", `sample ${bad} is not a finite number`, "Export the clip again.");
  }
  return {
    samples: await resample(mono, audio.sampleRate, sampleRate),
    seconds: mono.length / audio.sampleRate,
    isSilent: mono.every((value) => value === 0),
  };
}

async function readBytes(file: string): Promise<Uint8Array> {
  const source = await openFileSource(file);
  try {
    if (source.size > MAX_BYTES) {
      const fault = `the file has ${source.size} bytes, the most allowed is ${MAX_BYTES}`;
      throw badFile("AUDIO_TOO_LARGE", file, fault, "Cut the clip, or store it with 16 bits.");
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function mix(channels: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channels;
  if (!first) return new Float32Array(0);
  if (others.length === 0) return first;
  return first.map(
    (value, at) => others.reduce((sum, channel) => sum + channel[at]!, value) / channels.length,
  );
}
