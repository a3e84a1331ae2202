import type { FileHandle } from "node:fs/promises";

/** After so many bytes the disk starts on them: at the end, a sync of everything would take as long as the rest. */
const SYNC_BYTES = 64 * 1024 * 1024;

/** Has the disk begin with what was written to a file while more is being written. */
export class EarlySync {
  private waiting = 0;
  private running: Promise<void> | undefined;
  private reason: unknown;

  constructor(private readonly handle: FileHandle) {}

  /** What a sync failed with. Linux tells of a write that failed once: a later sync succeeds. */
  get failure(): unknown {
    return this.reason;
  }

  /** To be called after bytes were written, through whatever descriptor. */
  wrote(bytes: number): void {
    this.waiting += bytes;
    if (this.waiting >= SYNC_BYTES) this.start();
  }

  /** Begins with what is written so far. */
  start(): void {
    if (this.running) return;
    this.waiting = 0;
    this.running = this.handle
      .datasync()
      .catch((error: unknown) => {
        this.reason ??= error;
      })
      .finally(() => (this.running = undefined));
  }

  /** Resolves when no sync is under way. */
  async settle(): Promise<void> {
    await this.running;
  }
}
