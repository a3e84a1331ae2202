import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { ResponseBody } from "./http-body.js";

/** Called with what was read, which the next read overwrites. False asks to stop reading for now. */
export type BodyReader = (bytes: Uint8Array) => boolean;

/** A body of known length, as it comes from the socket. It begins with resume(). */
export class BulkBody extends EventEmitter implements ResponseBody {
  #left: number;
  #flowing = false;
  #closed: boolean;
  #failure: Error | null;

  /**
   * @param length  bytes of the whole body
   * @param waiting those that have come already
   * @param read    has the connection read, and hand what comes to a reader
   */
  constructor(
    private readonly connection: Duplex,
    length: number,
    private readonly waiting: Uint8Array[],
    private readonly read: (reader: BodyReader) => void,
  ) {
    super();
    this.#left = length;
    // It may have come to its end before anybody asked.
    this.#closed = connection.closed;
    this.#failure = connection.errored;
    connection.on("error", (error) => (this.#failure = error));
    connection.once("close", () => {
      this.#closed = true;
      if (this.#flowing) this.#tellClosed();
    });
  }

  pause(): void {
    this.#flowing = false;
  }

  resume(): void {
    this.#flowing = true;
    for (let bytes; this.#flowing && (bytes = this.waiting.shift());) this.#deliver(bytes);
    if (!this.#flowing || this.#left === 0) return;
    if (this.#closed) this.#tellClosed();
    else this.read(this.#take);
  }

  destroy(): void {
    this.connection.destroy();
  }

  readonly #take: BodyReader = (bytes) => {
    if (this.#flowing) this.#deliver(bytes);
    else this.waiting.push(Uint8Array.from(bytes));
    return this.#flowing;
  };

  #deliver(bytes: Uint8Array): void {
    const own = bytes.subarray(0, this.#left);
    if (own.length === 0) return;
    this.#left -= own.length;
    this.emit("data", own);
    if (this.#left > 0) return;
    this.emit("end");
    this.connection.destroy();
  }

  #tellClosed(): void {
    if (this.#failure !== null && this.listenerCount("error") > 0) this.emit("error", this.#failure);
    this.emit("close");
  }
}
