import { createAtomicFile, type AtomicFile } from "../system/atomic-file.js";
import { wavHeader, wavSamples, type WavInfo } from "../formats/wav-writer.js";

export interface AudioKind {
  /** Hz */
  readonly sampleRate: number;
  readonly float: boolean;
  /** "s16le": bare samples without a header. */
  readonly format: "wav" | "s16le";
  readonly info: WavInfo;
}

/** Where audio goes as it comes. */
export interface AudioOutput {
  write(samples: Float32Array): Promise<void>;
  /** Completes the file under its name. */
  finish(): Promise<void>;
  /** Leaves no file behind. What has been written to a stream stays written. */
  abort(): Promise<void>;
}

/**
 * A file that appears under its name when it is finished.
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73)
 */
export async function openAudioFile(
  path: string,
  kind: AudioKind,
  options: { readonly overwrite: boolean },
): Promise<AudioOutput> {
  const file = await createAtomicFile(path, options);
  return new AudioFile(file, kind, await writeHeader(file, kind));
}

async function writeHeader(file: AtomicFile, kind: AudioKind): Promise<number> {
  if (kind.format === "s16le") return 0;
  const header = wavHeader(kind, kind.info, 0);
  await file.write(header);
  return header.length;
}

class AudioFile implements AudioOutput {
  private dataBytes = 0;

  constructor(
    private readonly file: AtomicFile,
    private readonly kind: AudioKind,
    private readonly headerBytes: number,
  ) {}

  async write(samples: Float32Array): Promise<void> {
    const bytes = wavSamples(samples, this.kind);
    this.dataBytes += bytes.length;
    await this.file.write(bytes);
  }

  async finish(): Promise<void> {
    if (this.headerBytes > 0) {
      await this.file.writeAt(0, wavHeader(this.kind, this.kind.info, this.dataBytes));
    }
    await this.file.commit();
  }

  abort(): Promise<void> {
    return this.file.abort();
  }
}

/** Audio to a stream that is read while it is made: a WAV header then says "until the end". */
export function openAudioStream(stream: NodeJS.WritableStream, kind: AudioKind): AudioOutput {
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => stream.write(bytes, () => resolve()));
  let started = false;
  const start = async (): Promise<void> => {
    if (!started && kind.format === "wav") await send(wavHeader(kind, kind.info, undefined));
    started = true;
  };
  return {
    async write(samples) {
      await start();
      if (samples.length > 0) await send(wavSamples(samples, kind));
    },
    finish: start,
    abort: () => Promise.resolve(),
  };
}
