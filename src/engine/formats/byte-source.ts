import { constants, type Stats } from "node:fs";
import { lstat, open, readlink, stat, type FileHandle } from "node:fs/promises";
import { UserError } from "../errors.js";
import { isSystemError } from "../system/output-errors.js";
import { escapeForMessage } from "./escape.js";

/** Random access to the bytes of a file, on disk or behind range requests. */
export interface ByteSource {
  /** How messages name it: the path, or the address. */
  readonly label: string;
  /** Size in bytes. */
  readonly size: number;
  /** What identifies this state of a local file; absent for a source that is not one. */
  readonly stamp?: { readonly mtimeMs: number; readonly ino: number };
  /**
   * @returns the bytes from `offset` on: `length` of them, or fewer when the source ends before
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a regular file for reading; whatever else the path names is refused before it is opened.
 * @throws UserError FILE_NOT_FOUND, NOT_A_FILE (exit 66), FILE_DENIED (exit 77), FILE_UNREADABLE (exit 74)
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  await refuseIrregular(path);
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a FIFO that took the file's place just now would wait for its writer.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const state = await handle.stat();
    if (!state.isFile()) throw notAFile(path, kindOf(state));
    return new FileSource(path, state.size, { mtimeMs: state.mtimeMs, ino: state.ino }, handle);
  } catch (error) {
    await handle?.close();
    throw unreadable(error, path);
  }
}

/** Opens a file given by its path for as long as `use` runs; a source that is already open stays open. */
export async function withSource<Result>(
  file: string | ByteSource,
  use: (source: ByteSource) => Promise<Result>,
): Promise<Result> {
  if (typeof file !== "string") return use(file);
  const source = await openFileSource(file);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

class FileSource implements ByteSource {
  constructor(
    readonly label: string,
    readonly size: number,
    readonly stamp: { readonly mtimeMs: number; readonly ino: number },
    private readonly handle: FileHandle,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.size - offset)));
    let done = 0;
    while (done < buffer.length) {
      const { bytesRead } = await this.handle
        .read(buffer, done, buffer.length - done, offset + done)
        .catch((error: unknown) => {
          throw unreadable(error, this.label);
        });
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

async function refuseIrregular(path: string): Promise<void> {
  let state: Stats;
  try {
    state = await stat(path);
  } catch (error) {
    const link = await lstat(path).catch(() => undefined);
    if (!link?.isSymbolicLink()) throw unreadable(error, path);
    const goal = await readlink(path).catch(() => "a file");
    throw notAFile(path, `a link to ${escapeForMessage(goal)}, which cannot be reached`);
  }
  if (!state.isFile()) throw notAFile(path, kindOf(state));
}

function kindOf(state: Stats): string {
  if (state.isDirectory()) return "a folder";
  if (state.isFIFO()) return "a named pipe";
  if (state.isSocket()) return "a socket";
  return "a device";
}

function notAFile(path: string, kind: string): UserError {
  return new UserError(
    "notFound",
    "NOT_A_FILE",
    `${escapeForMessage(path, 1000)} is ${kind}, not a regular file.`,
    "Give the path of the file itself.",
  );
}

/** The UserError for a failure to read `path`; an error that is not the operating system's comes back as it is. */
export function unreadable(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error;
  const shown = escapeForMessage(path, 1000);
  const options = { cause: error };
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return new UserError(
        "notFound",
        "FILE_NOT_FOUND",
        `${shown} does not exist.`,
        "Check the path.",
        options,
      );
    case "EACCES":
    case "EPERM":
      return new UserError(
        "accessDenied",
        "FILE_DENIED",
        `${shown} cannot be read: permission denied.`,
        "Change its permissions, or run as a user who may read it.",
        options,
      );
    default:
      return new UserError(
        "disk",
        "FILE_UNREADABLE",
        `Reading ${shown} failed: ${error.code}.`,
        "Check the disk, then fetch the file again.",
        options,
      );
  }
}
