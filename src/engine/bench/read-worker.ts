/**
 * The thread that reads memory of its own from end to end, some times over, for read-bandwidth.ts. The threads begin every
 * pass together.
 */
import { parentPort, workerData } from "node:worker_threads";

export interface ReadJob {
  /** an even number, of this thread's own memory */
  bytes: number;
  passes: number;
  threads: number;
  /** shared: how often a thread was ready for a pass */
  arrived: Int32Array;
}

/** When each pass began and ended, in milliseconds of one clock for all threads. */
export type PassTimes = { began: number; ended: number }[];

const { bytes, passes, threads, arrived } = workerData as ReadJob;
// written to, because pages that nobody has written to are all one page of zeros, which is always in the cache
const halves = [0, 1].map(() => Buffer.alloc(bytes / 2, 1)) as [Buffer, Buffer];
const times: PassTimes = [];
for (let pass = 1; pass <= passes; pass++) {
  Atomics.add(arrived, 0, 1);
  Atomics.notify(arrived, 0);
  for (let seen = 0; (seen = Atomics.load(arrived, 0)) < pass * threads;) Atomics.wait(arrived, 0, seen);
  const began = now();
  if (halves[0].compare(halves[1]) !== 0) throw new Error("memory has changed by itself");
  times.push({ began, ended: now() });
}
parentPort!.postMessage(times);

/** performance.now() begins at another moment in each thread. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
