import type { IncomingMessage } from "node:http";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { BulkBody, type BodyReader } from "./bulk-body.js";
import type { ResponseBody } from "./http-body.js";

/** What one read from the socket can bring. It stays in a core's cache until it is copied on. */
const bufferBytes = 256 * 1024;

export type BulkTarget =
  (net.TcpNetConnectOpts & { readonly secure: false }) | (tls.ConnectionOptions & { readonly secure: true });

/**
 * A connection for one answer with a large body. node:http gets it as its socket (`createConnection`), sends the
 * request and reads the header. The body can then be taken past node's parser, which would copy every byte of it
 * into new memory: see docs/measurements.md, "Downloads".
 */
export class BulkConnection extends Duplex {
  readonly #socket: net.Socket;
  readonly #toParser: BodyReader = (bytes) => this.push(Buffer.from(bytes));
  #reader = this.#toParser;
  /** While it is not decided who reads the body, its end waits like its bytes. */
  #isUndecided = false;
  #hasEnded = false;
  #isClosed = false;

  constructor(target: BulkTarget) {
    super();
    const onread = {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback: (count: number, buffer: Uint8Array) => this.#reader(buffer.subarray(0, count)),
    };
    // tls.connect takes `onread` as well, though its types do not say so.
    this.#socket = target.secure
      ? tls.connect(Object.assign({ onread }, target))
      : net.connect({ ...target, onread });
    this.#socket.once("error", (error) => this.destroy(error));
    this.#socket.once("end", () => {
      this.#hasEnded = true;
      if (!this.#isUndecided) this.push(null);
    });
    this.#socket.once("close", () => {
      this.#isClosed = true;
      if (!this.#isUndecided) this.#close();
    });
  }

  override _read(): void {
    if (this.#reader === this.#toParser) this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /**
   * To be called while node:http tells of the header.
   * @returns the body: past the parser if its length is known and some of it is still to come
   */
  async takeBody(message: IncomingMessage): Promise<ResponseBody> {
    const held: Buffer[] = [];
    // TLS hands over what it has deciphered even when it is told to stop.
    this.#reader = (bytes) => {
      held.push(Buffer.from(bytes));
      return false;
    };
    this.#isUndecided = true;
    this.#socket.pause();
    // Until then, the parser is done with what it was given.
    await new Promise(setImmediate);
    this.#isUndecided = false;
    const length = lengthOf(message);
    const parsed = message.readableLength;
    if (length === undefined || parsed >= length || message.complete || this.readableLength > 0) {
      this.#leaveToParser(held);
      return message;
    }
    // The message ends with the connection and takes that for a failure, which is told of by the body.
    message.on("error", () => undefined);
    const head = message.read() as Buffer | null;
    const body = new BulkBody(this, length, head === null ? held : [head, ...held], (reader) => {
      this.#reader = reader;
      this.#socket.resume();
    });
    if (this.#hasEnded || this.#isClosed) this.destroy();
    return body;
  }

  #leaveToParser(held: readonly Buffer[]): void {
    this.#reader = this.#toParser;
    for (const bytes of held) this.push(bytes);
    if (this.#hasEnded) this.push(null);
    if (this.#isClosed) this.#close();
    else this.#socket.resume();
  }

  /** An end that came before is told of first: it completes a body of unknown length. */
  #close(): void {
    if (this.#hasEnded && !this.readableEnded) this.once("end", () => this.destroy());
    else this.destroy();
  }
}

/** @returns bytes of the body, if that is how it is framed */
function lengthOf(message: IncomingMessage): number | undefined {
  const length = Number(message.headers["content-length"]);
  const isPlain = message.headers["transfer-encoding"] === undefined;
  return isPlain && Number.isSafeInteger(length) ? length : undefined;
}
