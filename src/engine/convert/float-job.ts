import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { convertFloats, floatBytes, isFloatType, type FloatType } from "../tensors/float-convert.js";
import type { OutputFile } from "./output-files.js";

/** A bounded run of elements to read, convert and write. */
export interface FloatJob {
  readonly tensor: string;
  readonly sourceFile: string;
  readonly sourceOffset: number;
  readonly elements: number;
  readonly from: FloatType;
  readonly targetFile: string;
  readonly targetOffset: number;
  readonly to: FloatType;
}

/** Elements per job: 4 MiB of 16-bit weights. Larger jobs are not faster and keep an abort waiting. */
const JOB_ELEMENTS = 2 * 1024 * 1024;

/** Elements read, converted and written at a time: what fits into a core's own cache, both sides of it. */
const SLICE_ELEMENTS = 128 * 1024;

/** Raised when a source ends before the elements its header promised. */
export class SourceEndedError extends Error {
  override readonly name = "SourceEndedError";
}

/** Raised with the system's error when a file cannot be read or written. */
export class JobFileError extends Error {
  override readonly name = "JobFileError";

  constructor(
    readonly side: "source" | "target",
    readonly code: string,
  ) {
    super(`the ${side} file failed with ${code}`);
  }
}

/**
 * Cuts the float tensors of an output file into jobs, in the order of the file.
 * @param targetPath where the bytes go while the file is being written
 */
export function* floatJobs(file: OutputFile, targetPath: string): Generator<FloatJob> {
  for (const tensor of file.tensors) {
    if (tensor.content.kind !== "stored" || !isFloatType(tensor.type)) continue;
    let targetOffset = tensor.offset;
    for (const range of tensor.content.ranges) {
      if (!isFloatType(range.type)) break;
      const width = floatBytes(range.type);
      for (let done = 0; done < range.bytes;) {
        const elements = Math.min(JOB_ELEMENTS, (range.bytes - done) / width);
        yield {
          tensor: tensor.name,
          sourceFile: range.file,
          sourceOffset: range.offset + done,
          elements,
          from: range.type,
          targetFile: targetPath,
          targetOffset,
          to: tensor.type,
        };
        done += elements * width;
        targetOffset += elements * floatBytes(tensor.type);
      }
    }
  }
}

/** Runs jobs one after another in this thread, with buffers and open files it keeps until close(). */
export class FloatJobRunner {
  private readonly input = new Uint8Array(SLICE_ELEMENTS * 4);
  private readonly output = new Uint8Array(SLICE_ELEMENTS * 4);
  private readonly descriptors = new Map<string, number>();

  /**
   * @returns how many elements are infinite or not a number
   * @throws SourceEndedError, JobFileError
   */
  run(job: FloatJob): number {
    const source = this.open(job.sourceFile, "source");
    const target = this.open(job.targetFile, "target");
    const [read, written] = [floatBytes(job.from), floatBytes(job.to)];
    let nonFinite = 0;
    for (let done = 0; done < job.elements; done += SLICE_ELEMENTS) {
      const elements = Math.min(SLICE_ELEMENTS, job.elements - done);
      const input = this.input.subarray(0, elements * read);
      guard("source", () => readFully(source, input, job.sourceOffset + done * read));
      const output = this.output.subarray(0, elements * written);
      nonFinite += convertFloats(input, job.from, output, job.to);
      guard("target", () => writeFully(target, output, job.targetOffset + done * written));
    }
    return nonFinite;
  }

  close(): void {
    for (const descriptor of this.descriptors.values()) closeSync(descriptor);
    this.descriptors.clear();
  }

  private open(file: string, side: "source" | "target"): number {
    const known = this.descriptors.get(file);
    if (known !== undefined) return known;
    const descriptor = guard(side, () => openSync(file, side === "source" ? "r" : "r+"));
    this.descriptors.set(file, descriptor);
    return descriptor;
  }
}

/** Fills the buffer from a position of a file. @throws SourceEndedError */
export function readFully(descriptor: number, buffer: Uint8Array, position: number): void {
  for (let done = 0; done < buffer.byteLength;) {
    const read = readSync(descriptor, buffer, done, buffer.byteLength - done, position + done);
    if (read === 0) throw new SourceEndedError(`the file ends at byte ${position + done}`);
    done += read;
  }
}

/** Writes the whole buffer to a position of a file. */
export function writeFully(descriptor: number, buffer: Uint8Array, position: number): void {
  for (let done = 0; done < buffer.byteLength;) {
    done += writeSync(descriptor, buffer, done, buffer.byteLength - done, position + done);
  }
}

/** Turns the system's errors into JobFileError, which survives the way between threads. */
export function guard<T>(side: "source" | "target", work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code !== "string") throw error;
    throw new JobFileError(side, code);
  }
}
