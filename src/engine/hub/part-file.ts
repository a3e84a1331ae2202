import { constants } from "node:fs";
import { mkdir, open, rename, unlink, utimes, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { EarlySync } from "../system/early-sync.js";
import { findLeftParts, freePartPath, ownPartPath, takeOver } from "./part-names.js";
import { isStrongEtag, readEtagNote, removeEtagNote, renameEtagNote, writeEtagNote } from "./part-note.js";

/**
 * Bytes gathered before a write. With the one write that may be under way, what a kill can lose. Larger writes take Linux
 * up to four times as long: see docs/measurements.md, "Downloads".
 */
const blockBytes = 256 * 1024;
/** A part is touched this often, so that processes on other machines see that it is in use. */
const heartbeatMs = 15_000;

/** The bytes of a download that is not complete, in the folder where the whole file will be. */
export class PartFile {
  #size: number;
  #etag: string | undefined;
  /** Two blocks, used again and again: one is filled while the other is written. */
  #filling: Buffer;
  #idle: Buffer;
  #filled = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  readonly #sync: EarlySync;
  readonly #heartbeat: NodeJS.Timeout;
  /** Called when more of the file is with the operating system: with the number of bytes from its start. */
  onWritten: ((bytes: number) => void) | undefined;

  private constructor(
    readonly path: string,
    private readonly hash: string,
    private readonly handle: FileHandle,
    size: number,
    maxBytes: number,
  ) {
    this.#size = size;
    this.#sync = new EarlySync(handle);
    const block = Math.min(maxBytes, blockBytes);
    this.#filling = Buffer.allocUnsafeSlow(block);
    this.#idle = Buffer.allocUnsafeSlow(block);
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      void utimes(path, now, now).catch(() => undefined);
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /**
   * Takes over the largest part that was left behind for this content, or starts an empty one.
   * @param hash     hex digits that name the content
   * @param maxBytes size of the whole file; what is longer is removed
   */
  static async open(folder: string, hash: string, maxBytes: number): Promise<PartFile> {
    await mkdir(folder, { recursive: true });
    const own = ownPartPath(folder, hash);
    let size: number | undefined;
    let etag: string | undefined;
    for (const left of await findLeftParts(folder, hash)) {
      if (size !== undefined || left.size > maxBytes) await removePart(left.path);
      else if (await takeOver(left, own)) {
        size = left.size;
        etag = await readEtagNote(left.path);
        await removeEtagNote(left.path);
      }
    }
    const start = size === undefined ? constants.O_CREAT | constants.O_EXCL : 0;
    const handle = await open(own, constants.O_RDWR | constants.O_NOFOLLOW | start, 0o666);
    const part = new PartFile(own, hash, handle, size ?? 0, maxBytes);
    if (etag !== undefined) await part.rememberEtag(etag);
    return part;
  }

  /** Bytes in it, those not yet written included. */
  get size(): number {
    return this.#size;
  }

  /** ETag of the server that sent the bytes, for If-Range. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /**
   * Appends a copy of bytes.
   * @returns a promise when the disk is behind: until it resolves, append no others
   */
  append(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failed !== undefined) throw this.#failed;
    const fitting = chunk.subarray(0, this.#filling.length - this.#filled);
    this.#filling.set(fitting, this.#filled);
    this.#filled += fitting.length;
    this.#size += fitting.length;
    const rest = chunk.subarray(fitting.length);
    if (this.#filled === this.#filling.length) {
      if (this.#writing !== undefined) {
        const kept = Uint8Array.from(rest);
        return this.#writing.then(() => this.append(kept));
      }
      this.#startWrite();
    }
    return rest.length === 0 ? undefined : this.append(rest);
  }

  /** Resolves when every byte is with the operating system. */
  async flush(): Promise<void> {
    while (this.#failed === undefined && (this.#writing !== undefined || this.#filled > 0)) {
      this.#startWrite();
      await this.#writing;
    }
    if (this.#failed !== undefined) throw this.#failed;
  }

  /** Empties it, to start over. */
  async reset(): Promise<void> {
    await this.flush();
    await this.#sync.settle();
    await this.handle.truncate(0);
    this.#size = 0;
    this.#etag = undefined;
    await removeEtagNote(this.path);
  }

  /** Keeps the ETag beside the part, for the process that may take it over. A weak one proves nothing. */
  async rememberEtag(etag: string | undefined): Promise<void> {
    if (etag === undefined || etag === this.#etag || !isStrongEtag(etag)) return;
    this.#etag = etag;
    await writeEtagNote(this.path, etag);
  }

  /** Has the disk begin with what is written. publish() waits for it. */
  startSync(): void {
    this.#sync.start();
  }

  /** Makes it durable and gives it its final name, replacing what is there. */
  async publish(target: string): Promise<void> {
    await this.flush();
    await this.#sync.settle();
    if (this.#failed !== undefined) throw this.#failed;
    await this.handle.sync();
    clearInterval(this.#heartbeat);
    await this.handle.close();
    await removeEtagNote(this.path);
    await rename(this.path, target);
    await syncFolder(path.dirname(target));
  }

  /** Lets go of it, for the next run to go on with. An empty one is removed. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.flush().catch(() => undefined);
    await this.#sync.settle();
    await this.handle.close();
    if (this.#size === 0) return removePart(this.path);
    const free = freePartPath(path.dirname(this.path), this.hash);
    await renameEtagNote(this.path, free);
    await rename(this.path, free);
  }

  /** What a write or a sync failed with. */
  get #failed(): unknown {
    return this.#failure ?? this.#sync.failure;
  }

  #startWrite(): void {
    // After a failed write, a later one would leave a hole.
    if (this.#failed !== undefined || this.#writing !== undefined || this.#filled === 0) return;
    const bytes = this.#filling.subarray(0, this.#filled);
    const position = this.#size - bytes.length;
    [this.#filling, this.#idle] = [this.#idle, this.#filling];
    this.#filled = 0;
    this.#writing = writeAll(this.handle, bytes, position)
      .then(() => this.#wrote(position, bytes.length))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  #wrote(position: number, bytes: number): void {
    this.onWritten?.(position + bytes);
    this.#sync.wrote(bytes);
  }
}

/** Removes a part and what is kept beside it. */
async function removePart(part: string): Promise<void> {
  await unlink(part).catch(() => undefined);
  await removeEtagNote(part);
}

/** A short write means a disk that is filling up; writing the rest brings out the real error. */
async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows cannot open folders, and some network file systems cannot sync them.
  }
}
