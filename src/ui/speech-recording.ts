import { rm } from "node:fs/promises";
import type { PartFault } from "../engine/client/speak-files.js";
import type { AudioOutput } from "../engine/audio/audio-output.js";
import type { SpokenChunk } from "../engine/host/speech-model.js";
import { writeNpy } from "../engine/formats/npy.js";

export interface RecordingTarget {
  /** "-" for a stream. */
  readonly path: string;
  readonly output: AudioOutput;
  /** Where the codes go as well. */
  readonly codesPath: string | undefined;
}

/** One utterance on its way to its file. */
export class Recording {
  samples = 0;
  frames = 0;
  /** "interrupted" until it has come to its end. */
  stopped: "eos" | "cap" | "context" | "interrupted" = "interrupted";
  /** What went wrong with parts of it. */
  faults: readonly PartFault[] = [];
  private readonly codes: Int32Array[] = [];
  private state: "open" | "kept" | "gone" = "open";

  constructor(
    private readonly target: RecordingTarget,
    private readonly codebooks: number,
    /** What it was spoken with. */
    readonly seed: number,
  ) {}

  get path(): string {
    return this.target.path;
  }

  async add({ audio, codes, end }: Omit<SpokenChunk, "utterance">): Promise<void> {
    this.samples += audio.length;
    this.frames += codes.length / this.codebooks;
    if (this.target.codesPath !== undefined) this.codes.push(codes);
    if (end !== "none") this.stopped = end;
    if (audio.length > 0) await this.target.output.write(audio);
  }

  /** Keeps what there is: file and codes appear complete. */
  async keep(overwrite: boolean): Promise<void> {
    const { codesPath, output } = this.target;
    if (codesPath !== undefined) {
      const data = new Int32Array(this.frames * this.codebooks);
      let offset = 0;
      for (const part of this.codes) {
        data.set(part, offset);
        offset += part.length;
      }
      await writeNpy(
        codesPath,
        { dtype: "int32", shape: [this.frames, this.codebooks], data },
        { overwrite },
      );
    }
    try {
      await output.finish();
    } catch (error) {
      if (codesPath !== undefined) await rm(codesPath, { force: true });
      throw error;
    }
    this.state = "kept";
  }

  /** Leaves nothing behind, unless it was kept. */
  async discard(): Promise<void> {
    if (this.state !== "open") return;
    this.state = "gone";
    await this.target.output.abort();
  }

  get isKept(): boolean {
    return this.state === "kept";
  }
}
