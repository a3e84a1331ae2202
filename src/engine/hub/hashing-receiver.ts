import { requireDiskSpace, type FreeBytes } from "../system/disk.js";
import type { ContentDigests } from "./content-hash.js";
import type { ContentReceiver } from "./content-stream.js";
import { TransferFailure } from "./failures.js";
import type { FileHasher, GrowingHash } from "./file-hasher.js";
import type { PartFile } from "./part-file.js";
import type { RemoteFile } from "./remote-tree.js";

/** Other programs write too: so often the disk is looked at again. */
const diskCheckBytes = 256 * 1024 ** 2;
/** Below this, an ETag is not worth a file of its own: the hash decides in the end. */
const leastEtagBytes = 1024 * 1024;

export interface ReceiverContext {
  readonly hasher: FileHasher;
  readonly freeBytes: FreeBytes;
  /** Called with the bytes that are in the part, as often as they change. */
  readonly onSize: (bytes: number) => void;
}

/** Puts what arrives into the part, and has hashed what is on disk: what an earlier run left there, too. */
export class HashingReceiver implements ContentReceiver {
  #hash: GrowingHash;
  #sinceDiskCheck = 0;

  constructor(
    private readonly file: RemoteFile,
    private readonly folder: string,
    private readonly part: PartFile,
    private readonly context: ReceiverContext,
  ) {
    this.#hash = context.hasher.open(part.path, file);
    this.#hash.advance(part.size);
    part.onWritten = (bytes) => this.#hash.advance(bytes);
    context.onSize(part.size);
  }

  get offset(): number {
    return this.part.size;
  }

  get etag(): string | undefined {
    return this.part.etag;
  }

  async begin(start: { offset: number; etag: string | undefined }): Promise<void> {
    if (start.offset !== this.part.size) await this.startOver();
    if (this.file.bytes >= leastEtagBytes) await this.part.rememberEtag(start.etag);
  }

  async startOver(): Promise<void> {
    this.#hash.close();
    await this.part.reset();
    this.#hash = this.context.hasher.open(this.part.path, this.file);
    this.context.onSize(0);
  }

  readonly sink = (chunk: Uint8Array): Promise<void> | undefined => {
    if (this.part.size + chunk.length > this.file.bytes) {
      throw new TransferFailure(
        `the server sends more than the listed ${this.file.bytes} bytes`,
        "wrong-range",
      );
    }
    const backlog = this.part.append(chunk);
    this.context.onSize(this.part.size);
    this.#sinceDiskCheck += chunk.length;
    if (this.#sinceDiskCheck < diskCheckBytes) return backlog;
    this.#sinceDiskCheck = 0;
    return Promise.all([backlog, this.#checkDisk()]).then(() => undefined);
  };

  /** Ends the hashing. */
  async digests(): Promise<ContentDigests> {
    await this.part.flush();
    // The disk is busy while the rest is hashed.
    this.part.startSync();
    return this.#hash.digests();
  }

  close(): void {
    this.#hash.close();
  }

  async #checkDisk(): Promise<void> {
    const bytes = this.file.bytes - this.part.size;
    await requireDiskSpace({ folder: this.folder, bytes, purpose: this.file.path }, this.context.freeBytes);
  }
}
