import { constants, type Stats } from "node:fs";
import { link, lstat, open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { EarlySync } from "./early-sync.js";
import { isSystemError, outputError, outputExists } from "./output-errors.js";
import { newTemporaryPath, removeStaleTemporaries } from "./temporary-names.js";

export interface AtomicFileOptions {
  /** Replace a file that is already there. Default: refuse it. */
  readonly overwrite?: boolean;
}

/** A file that is under its name complete or not at all. */
export interface AtomicFile {
  /** The name it will have. */
  readonly path: string;
  /** Where its bytes are until then: a file in the same folder. */
  readonly temporaryPath: string;
  /** Appends bytes. A failed write removes the temporary file. */
  write(bytes: Uint8Array): Promise<void>;
  /** Appends zeros, to be replaced with writeAt(). */
  reserve(bytes: number): Promise<void>;
  /** Writes bytes at any position. What nothing is written to reads as zeros; the position of `write` stays. */
  writeAt(position: number, bytes: Uint8Array): Promise<void>;
  /** Tells of bytes that somebody else wrote to the temporary file, so that the disk can begin with them. */
  noteWritten(bytes: number): void;
  /**
   * Makes the bytes durable, lets `verify` read the temporary file, and gives it its name.
   * Whatever fails removes the temporary file.
   */
  commit(options?: { readonly verify?: (temporaryPath: string) => Promise<void> }): Promise<void>;
  /** Removes the temporary file. Does nothing after commit() or a second time. */
  abort(): Promise<void>;
}

/**
 * Starts a file in the folder of `target`.
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73), DISK_FULL, DISK_ERROR (exit 74)
 */
export async function createAtomicFile(target: string, options: AtomicFileOptions = {}): Promise<AtomicFile> {
  const overwrite = options.overwrite === true;
  const { destination, mode } = await checkTarget(target, overwrite);
  const folder = path.dirname(destination);
  await removeStaleTemporaries(folder);
  const temporaryPath = newTemporaryPath(folder);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  let handle: FileHandle;
  try {
    handle = await open(temporaryPath, flags, mode);
  } catch (error) {
    throw outputError(error, destination);
  }
  return new OpenAtomicFile(destination, temporaryPath, handle, overwrite);
}

/** Writes a whole file atomically; errors as `createAtomicFile`. */
export async function writeFileAtomically(
  target: string,
  bytes: Uint8Array | string,
  options: AtomicFileOptions = {},
): Promise<void> {
  const file = await createAtomicFile(target, options);
  await file.write(typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes);
  await file.commit();
}

class OpenAtomicFile implements AtomicFile {
  private end = 0;
  private state: "open" | "closed" = "open";
  private readonly early: EarlySync;

  constructor(
    readonly path: string,
    readonly temporaryPath: string,
    private readonly handle: FileHandle,
    private readonly overwrite: boolean,
  ) {
    this.early = new EarlySync(handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const position = this.end;
    this.end += bytes.length;
    await this.orRemove(() => this.writeFully(position, bytes));
  }

  async reserve(bytes: number): Promise<void> {
    this.end += bytes;
    await this.orRemove(() => this.handle.truncate(this.end));
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    await this.orRemove(() => this.writeFully(position, bytes));
  }

  noteWritten(bytes: number): void {
    this.early.wrote(bytes);
  }

  async commit(options: { readonly verify?: (temporaryPath: string) => Promise<void> } = {}): Promise<void> {
    await this.orRemove(async () => {
      await this.early.settle();
      if (this.early.failure !== undefined) throw this.early.failure;
      await this.handle.sync();
      await options.verify?.(this.temporaryPath);
      await this.handle.close();
      if (this.overwrite) await rename(this.temporaryPath, this.path);
      else await publishNew(this.temporaryPath, this.path);
      this.state = "closed";
      await syncFolder(path.dirname(this.path));
    });
  }

  async abort(): Promise<void> {
    if (this.state === "closed") return;
    this.state = "closed";
    await this.handle.close().catch(() => undefined);
    await rm(this.temporaryPath, { force: true });
  }

  private async writeFully(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  private async orRemove(work: () => Promise<void>): Promise<void> {
    if (this.state === "closed") throw new Error(`${this.path} is no longer being written`);
    try {
      await work();
    } catch (error) {
      await this.abort();
      throw isSystemError(error) ? outputError(error, this.path) : error;
    }
  }
}

/**
 * Where the bytes shall go, and the permissions they get (a replaced file keeps its own).
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73)
 */
export async function checkTarget(
  target: string,
  overwrite: boolean,
): Promise<{ destination: string; mode: number }> {
  if (target === "-" || target.endsWith(path.sep)) throw noFile(target, "does not name a file");
  const absolute = path.resolve(target);
  const entry = await existingAt(absolute, lstat);
  if (!entry) return { destination: absolute, mode: 0o666 };
  // stat follows links of /proc too (/dev/stdout), where realpath would find nothing and the link be replaced
  const goal = await existingAt(absolute, stat);
  if (goal?.isDirectory()) throw noFile(absolute, "is a folder");
  if (goal && !goal.isFile()) throw noFile(absolute, "is not a regular file");
  if (!overwrite) throw outputExists(target);
  if (!goal) return { destination: absolute, mode: 0o666 };
  return { destination: await realpath(absolute), mode: goal.mode & 0o777 };
}

function noFile(target: string, fault: string): UserError {
  return new UserError("cannotCreate", "OUTPUT_EXISTS", `${target} ${fault}.`, "Name a file.");
}

async function existingAt(
  target: string,
  look: (file: string) => Promise<Stats>,
): Promise<Stats | undefined> {
  return look(target).catch((error: unknown) => {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw outputError(error, target);
  });
}

/** Gives a file its name unless the name is taken: a hard link fails then, where rename would replace. */
async function publishNew(temporaryPath: string, target: string): Promise<void> {
  try {
    await link(temporaryPath, target);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "EEXIST") throw outputExists(target);
    // File systems without hard links (FAT, some network shares): a check and a rename is the best there is.
    await checkTarget(target, false);
    await rename(temporaryPath, target);
    return;
  }
  await rm(temporaryPath, { force: true });
}

/** Makes the new name durable. Windows has no such operation, and some file systems refuse it for folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (!isSystemError(error) || !["EINVAL", "ENOTSUP", "ENOSYS"].includes(error.code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}
