import { truncate } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { refuseChangedFiles } from "../formats/file-stamp.js";
import { createAtomicFile, type AtomicFile } from "../system/atomic-file.js";
import { outputError } from "../system/output-errors.js";
import { floatBytes, isFloatType } from "../tensors/float-convert.js";
import type { Quantizer } from "../tensors/quantizer.js";
import { refuseFullDisk, userErrorOf } from "./conversion-errors.js";
import { floatJobs, FloatJobRunner, JobFileError, SourceEndedError, type FloatJob } from "./float-job.js";
import { runOnThreads, type FinishedJob } from "./float-pool.js";
import type { OutputFile, PlacedTensor } from "./output-files.js";
import { needsQuantizer, type ConversionPlan } from "./plan.js";
import { writeRowTensors } from "./row-tensors.js";
import { sha256OfFile } from "./sha256-file.js";
import { verifyOutput } from "./verify-output.js";

export interface ExecuteOptions {
  /** Replace output files that are already there. Default: refuse them. */
  readonly overwrite?: boolean;
  /** Threads that convert floats. Default: one per processor. */
  readonly threads?: number;
  /** Compute the SHA-256 of the output. Default: do not. */
  readonly hash?: boolean;
  /** Needed for plans that `needsQuantizer`. */
  readonly quantizer?: Quantizer;
  readonly signal?: AbortSignal;
}

export interface ConversionProgress {
  /** Bytes of tensor data written, and how many there will be. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** The tensor written last. */
  readonly tensor: string;
}

export interface ConversionResult {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256?: string }[];
  /** Tensors with infinite or undefined elements, and how many. */
  readonly nonFinite: ReadonlyMap<string, number>;
}

/** Below this, starting threads takes longer than converting. In bytes of output. */
const THREADS_FROM_BYTES = 32 * 1024 * 1024;

/**
 * Writes the output files of a plan: one pass over the source, memory that does not depend on its size. Each file
 * appears under its name complete and verified, or not at all; of a split model the first part comes last.
 * @returns an async iterable of the progress; its return value is the result
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER (exit 73), DISK_FULL, DISK_ERROR (74), FILE_CHANGED (65);
 *         the signal's reason when aborted
 */
export async function* executePlan(
  plan: ConversionPlan,
  outputs: readonly OutputFile[],
  options: ExecuteOptions = {},
): AsyncGenerator<ConversionProgress, ConversionResult> {
  if (needsQuantizer(plan) && !options.quantizer) throw new Error("this plan needs a quantizer");
  await refuseFullDisk(outputs);
  const files: AtomicFile[] = [];
  const nonFinite = new Map<string, number>();
  const bytesTotal = plan.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  let bytesDone = 0;
  try {
    for (const output of outputs)
      files.push(await createAtomicFile(output.path, { overwrite: options.overwrite === true }));
    for (const [number, output] of outputs.entries()) {
      for await (const written of writeFile(output, files[number]!, options)) {
        bytesDone += written.bytes;
        files[number]!.noteWritten(written.bytes);
        if (written.nonFinite > 0) {
          nonFinite.set(written.tensor, (nonFinite.get(written.tensor) ?? 0) + written.nonFinite);
        }
        yield { bytesDone, bytesTotal, tensor: written.tensor };
      }
    }
    await refuseChangedFiles(plan.files);
    const hashes: (string | undefined)[] = [];
    for (const [number, output] of outputs.entries()) {
      hashes.push(await complete(output, files[number]!, options));
    }
    options.signal?.throwIfAborted();
    // Of a split model the first part comes last: without it the others are no model.
    for (const file of [...files].reverse()) await file.commit();
    return { files: outputs.map((output, number) => summary(output, hashes[number])), nonFinite };
  } finally {
    await Promise.all(files.map((file) => file.abort()));
  }
}

interface Written {
  readonly tensor: string;
  readonly bytes: number;
  readonly nonFinite: number;
}

async function* writeFile(
  output: OutputFile,
  file: AtomicFile,
  options: ExecuteOptions,
): AsyncGenerator<Written> {
  // A file that is cut off here can never be taken for a model: its magic is written last.
  const header = new Uint8Array(output.header);
  header.fill(0, 0, 4);
  await file.write(header);
  try {
    for await (const { job, nonFinite } of runFloats(output, file.temporaryPath, options)) {
      yield { tensor: job.tensor, bytes: job.elements * floatBytes(job.to), nonFinite };
    }
    const rest = output.tensors.filter((tensor) => !isFloatTensor(tensor));
    yield* writeRowTensors(rest, file.temporaryPath, options.quantizer, options.signal);
  } catch (error) {
    throw error instanceof JobFileError || error instanceof SourceEndedError
      ? userErrorOf(error, output.path)
      : error;
  }
}

function runFloats(
  output: OutputFile,
  targetPath: string,
  options: ExecuteOptions,
): AsyncIterable<FinishedJob> | Iterable<FinishedJob> {
  const jobs = floatJobs({ ...output, tensors: output.tensors.filter(isFloatTensor) }, targetPath);
  const bytes = output.tensors.reduce((sum, tensor) => sum + (isFloatTensor(tensor) ? tensor.bytes : 0), 0);
  if (bytes < THREADS_FROM_BYTES) return runInThisThread(jobs, options.signal);
  return runOnThreads(jobs, options.threads ?? availableParallelism(), options.signal);
}

function* runInThisThread(jobs: Iterable<FloatJob>, signal: AbortSignal | undefined): Generator<FinishedJob> {
  const runner = new FloatJobRunner();
  try {
    for (const job of jobs) {
      signal?.throwIfAborted();
      yield { job, nonFinite: runner.run(job) };
    }
  } finally {
    runner.close();
  }
}

/** Does writing the tensor need neither native code nor the whole tensor in memory? */
function isFloatTensor(tensor: PlacedTensor): boolean {
  return (
    tensor.content.kind === "stored" &&
    isFloatType(tensor.type) &&
    tensor.content.ranges.every((range) => isFloatType(range.type))
  );
}

/** Gives the temporary file its last bytes and reads it back. @returns its SHA-256 when asked for */
async function complete(
  output: OutputFile,
  file: AtomicFile,
  options: ExecuteOptions,
): Promise<string | undefined> {
  try {
    // Zeros after the last tensor, up to the alignment.
    await truncate(file.temporaryPath, output.totalBytes);
  } catch (error) {
    throw outputError(error, output.path);
  }
  await file.writeAt(0, output.header.subarray(0, 4));
  await verifyOutput(file.temporaryPath, output);
  return options.hash === true ? sha256OfFile(file.temporaryPath, options.signal) : undefined;
}

function summary(output: OutputFile, sha256: string | undefined): ConversionResult["files"][number] {
  return { path: output.path, bytes: output.totalBytes, ...(sha256 === undefined ? {} : { sha256 }) };
}
