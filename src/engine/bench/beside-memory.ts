import type { BenchProgress } from "./bench-progress.js";
import { readBandwidth } from "./read-bandwidth.js";

/** What a benchmark gave, and what the memory gave beside it. */
export interface BesideMemory<Result> {
  readonly result: Result;
  /** GB/s; undefined when it was not measured */
  readonly machine: number | undefined;
}

/**
 * Runs a benchmark between two measurements of the memory, of which the better counts: what other programs take in one
 * of them is no limit of the machine.
 * @param threads that read memory, as many as compute; 0 leaves the memory out
 * @throws what the benchmark throws; AbortError
 */
export async function* besideMemory<Result>(
  run: AsyncGenerator<BenchProgress, Result>,
  threads: number,
  signal: AbortSignal,
): AsyncGenerator<BenchProgress, BesideMemory<Result>> {
  const rates: number[] = [];
  const read = async function* (done: number): AsyncGenerator<BenchProgress> {
    if (threads === 0) return;
    yield { label: "reading memory", done, total: 2, unit: "steps" };
    const rate = await readBandwidth(threads, signal);
    if (rate !== undefined) rates.push(rate);
  };
  yield* read(0);
  const result = yield* run;
  yield* read(1);
  return { result, machine: rates.length > 0 ? Math.max(...rates) : undefined };
}
