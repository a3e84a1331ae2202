import { freemem } from "node:os";
import { Worker } from "node:worker_threads";
import { distFile } from "../system/package-root.js";
import type { PassTimes, ReadJob } from "./read-worker.js";

const MIB = 2 ** 20;
/** Of each thread: several times what its share of the caches holds. */
const MOST_MIB = 256;
/** Of all threads together: with less, caches answer and not the memory. */
const LEAST_MIB = 128;
/** At most this part of the free memory is taken. */
const FREE_SHARE = 1 / 4;
const PASSES = 6;

/**
 * What threads read from memory together when they do nothing else, in GB/s; the best of some passes. Every thread
 * compares two equal buffers of its own: Buffer.compare is memcmp of the C library, which takes vectors, so that no
 * compiler is needed. Two streams of reading hide the page boundaries that hold up one (Buffer.indexOf, memchr, gave a
 * fifth less). On two cores of an AMD EPYC (Zen 5), in turns with scripts/read-bandwidth.c over 1 GiB: 36 to 40 GB/s
 * against 35 to 39 with one thread, 39 to 43 against 42 to 48 with two.
 * @returns undefined when too little memory is free to get past the caches
 * @throws AbortError
 */
export async function readBandwidth(
  threads: number,
  signal: AbortSignal,
  free: number = freemem(),
): Promise<number | undefined> {
  signal.throwIfAborted();
  const mebibytes = Math.min(MOST_MIB, Math.floor((free * FREE_SHARE) / threads / MIB));
  if (mebibytes * threads < LEAST_MIB) return undefined;
  const job: ReadJob = {
    bytes: mebibytes * MIB,
    passes: PASSES,
    threads,
    arrived: new Int32Array(new SharedArrayBuffer(4)),
  };
  const workers = Array.from({ length: threads }, () => {
    return new Worker(distFile("engine/bench/read-worker.js"), { workerData: job });
  });
  const stop = () => Promise.all(workers.map((worker) => worker.terminate()));
  try {
    const times = await Promise.race([Promise.all(workers.map(answerOf)), aborted(signal)]);
    return bestRate(times, job.bytes * threads);
  } finally {
    await stop();
  }
}

/**
 * GB/s of the fastest pass: from when the first thread began it until the last one ended it.
 * @param times a list of passes for each thread
 * @param bytes that all threads read in a pass
 */
export function bestRate(times: readonly PassTimes[], bytes: number): number {
  const rates = times[0]!.map((_, pass) => {
    const began = Math.min(...times.map((own) => own[pass]!.began));
    const ended = Math.max(...times.map((own) => own[pass]!.ended));
    return bytes / (ended - began) / 1e6;
  });
  return Math.max(...rates);
}

function answerOf(worker: Worker): Promise<PassTimes> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a thread that reads memory ended without an answer")));
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
