import process from "node:process";
import { Worker } from "node:worker_threads";
import { badFile } from "../formats/bad-file.js";
import { distFile } from "../system/package-root.js";
import type { DecodedAudio } from "./decode-audio.js";
import type { DecodeReply } from "./decode-worker.js";

/** What decoding one file may take. A small file can hold days of silence, and decoders have endless loops. */
export interface DecodeLimits {
  readonly milliseconds: number;
  /** by which this process may grow meanwhile, in bytes */
  readonly memoryBytes: number;
  /** of all channels together */
  readonly samples: number;
}

/**
 * An hour and a half of mono at 48 kHz; with the decoder's own copies that takes less than the memory.
 * The time is for a file of a mebibyte or less, of which the slowest decoder takes seconds; larger ones get more.
 */
const LIMITS: DecodeLimits = { milliseconds: 60_000, memoryBytes: 3 * 2 ** 30, samples: 2 ** 28 };

/** How often the memory is looked at. A decoder writes up to 5 GB/s. */
const WATCH_MS = 20;
/** JavaScript objects of the decoders; samples and WebAssembly are not among them. */
const HEAP_MB = 1024;

/**
 * Decodes a file that is not WAV in a thread of its own, with limits.
 * @throws UserError AUDIO_FORMAT, AUDIO_TOO_LARGE, AUDIO_TOO_SLOW (exit 65); AbortError
 */
export async function decodeCompressed(
  bytes: Uint8Array,
  file: string,
  signal?: AbortSignal,
  limits: DecodeLimits = LIMITS,
): Promise<DecodedAudio> {
  signal?.throwIfAborted();
  const reply = await runWorker(bytes, file, signal, limits);
  if (reply.kind === "refused") {
    throw badFile(
      "AUDIO_FORMAT",
      file,
      `this is no audio that can be read (${reply.reason.slice(0, 200)})`,
      "Give a WAV, FLAC, MP3 or Ogg file; `ffmpeg -i FILE clip.wav` makes one of most others.",
    );
  }
  const samples = reply.channels.reduce((sum, channel) => sum + channel.length, 0);
  if (samples > limits.samples)
    throw tooLarge(file, `${samples} samples, the most allowed is ${limits.samples}`);
  return reply;
}

function runWorker(
  bytes: Uint8Array,
  file: string,
  signal: AbortSignal | undefined,
  { milliseconds, memoryBytes }: DecodeLimits,
): Promise<DecodeReply> {
  const worker = new Worker(distFile("engine/audio/decode-worker.js"), {
    // Nothing of this process is passed on: no flags, no environment, no standard streams.
    argv: [],
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
    workerData: bytes,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const before = process.memoryUsage.rss();
  const allowedMs = milliseconds * Math.max(1, bytes.length / 2 ** 20);
  const reply = new Promise<DecodeReply>((resolve, reject) => {
    const watch = setInterval(() => {
      const grown = process.memoryUsage.rss() - before;
      if (grown > memoryBytes) fail(tooLarge(file, `more than ${memoryBytes} bytes of memory`));
    }, WATCH_MS);
    const clock = setTimeout(() => {
      const fault = `decoding it takes longer than ${Math.round(allowedMs / 1000)} s`;
      fail(
        badFile("AUDIO_TOO_SLOW", file, fault, "Cut the clip, or give it as WAV: `ffmpeg -i FILE clip.wav`."),
      );
    }, allowedMs);
    const onAbort = () => fail(signal?.reason);
    const stop = () => {
      clearInterval(watch);
      clearTimeout(clock);
      signal?.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown) => {
      stop();
      reject(error as Error);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    worker.once("message", (message: DecodeReply) => {
      stop();
      resolve(message);
    });
    worker.once("error", (error: NodeJS.ErrnoException) => {
      const isHeap = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      fail(isHeap ? tooLarge(file, `more than ${HEAP_MB} MiB of heap`) : error);
    });
    worker.once("exit", () => fail(new Error("the thread that decodes audio ended without a reply")));
  });
  return reply.finally(() => worker.terminate());
}

/** @param what it takes when it is decoded */
function tooLarge(file: string, what: string): Error {
  const hint = "Cut the clip, or give it as WAV: `ffmpeg -i FILE -t 600 clip.wav` keeps ten minutes.";
  return badFile("AUDIO_TOO_LARGE", file, `decoded it takes ${what}`, hint);
}
