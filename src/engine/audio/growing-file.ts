import { open, rm } from "node:fs/promises";
import { isSystemError, outputError, outputExists } from "../system/output-errors.js";
import { wavHeader, wavSamples } from "../formats/wav-writer.js";
import type { AudioKind, AudioOutput } from "./audio-output.js";

/**
 * A file that grows under its own name, for players that read it meanwhile; its header says "until the end" at first
 * and gets the right sizes when it is finished.
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73), DISK_FULL (exit 74)
 */
export async function openGrowingFile(
  path: string,
  kind: AudioKind,
  options: { readonly overwrite: boolean },
): Promise<AudioOutput> {
  const explained = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (isSystemError(error) && error.code === "EEXIST") throw outputExists(path);
      throw outputError(error, path);
    }
  };
  const handle = await explained(() => open(path, options.overwrite ? "w" : "wx"));
  const header = (dataBytes: number | undefined) =>
    kind.format === "wav" ? wavHeader(kind, kind.info, dataBytes) : new Uint8Array(0);
  let end = header(undefined).length;
  const start = end;
  await explained(() => handle.write(header(undefined), 0, end, 0));
  return {
    async write(samples) {
      const bytes = wavSamples(samples, kind);
      await explained(() => handle.write(bytes, 0, bytes.length, end));
      end += bytes.length;
    },
    async finish() {
      await explained(async () => {
        await handle.write(header(end - start), 0, start, 0);
        await handle.sync();
        await handle.close();
      });
    },
    async abort() {
      await handle.close().catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}
