import type { ChunkSink } from "./http-body.js";
import { pumpBody, type ResponseBody } from "./http-body.js";
import { discardBody, type HttpClient, type HttpResponse } from "./http-client.js";
import { header, TransferFailure } from "./failures.js";
import { throwForStatus } from "./hub-fetch.js";
import type { HubApi, RepoState } from "./hub-api.js";
import type { RemoteFile } from "./remote-tree.js";

/** Below this, a connection of its own costs more than it brings. */
const leastBulkBytes = 1024 * 1024;

/** Receives the content of a file from some position to its end. */
export interface ContentReceiver {
  /** Bytes it has: where the stream should start. */
  readonly offset: number;
  /** ETag of the server those bytes came from. */
  readonly etag: string | undefined;
  /** Called before the first chunk. `offset` is 0 where the server starts over: what was there is void. */
  begin(start: { offset: number; etag: string | undefined }): Promise<void>;
  readonly sink: ChunkSink;
}

export interface StreamOptions {
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Streams a file from the Hub over HTTP, from the receiver's offset on.
 *
 * A partial answer is only accepted when it starts where it was asked to and names the listed size. A server that
 * answers with the whole file, or that cannot give the range (416), makes the receiver start over.
 * @throws HttpFailure, HttpTimeout, TransferFailure, errors of node:http
 */
export async function streamOverHttp(
  client: HttpClient,
  address: URL,
  file: RemoteFile,
  receiver: ContentReceiver,
  options: StreamOptions,
): Promise<void> {
  const { offset, etag } = receiver;
  const range =
    offset === 0 ? {} : { range: `bytes=${offset}-`, ...(etag === undefined ? {} : { "if-range": etag }) };
  const request = { headers: range, signal: options.signal };
  const response = await (file.bytes - offset < leastBulkBytes
    ? client.request(address, request)
    : client.requestBulk(address, request));
  if (response.status === 416 && offset > 0) {
    discardBody(response);
    await receiver.begin({ offset: 0, etag: undefined });
    throw new TransferFailure("the server cannot go on from there (status 416)", "wrong-range");
  }
  await throwForStatus(response, options);
  const start = startOf(response, offset, file.bytes);
  if (typeof start === "string") {
    response.body.destroy();
    // A server that cannot give a range properly will not the next time either.
    if (response.status === 206) await receiver.begin({ offset: 0, etag: undefined });
    throw new TransferFailure(start, "wrong-range");
  }
  await receiver.begin({ offset: start, etag: header(response.headers, "etag") });
  await pumpBody(response, receiver.sink, options);
}

/**
 * Streams a file from xet storage with @huggingface/hub, which asks for several pieces at once.
 * @returns false when the Hub offers no xet download for it; then nothing has been received
 */
export async function streamOverXet(
  api: HubApi,
  state: RepoState,
  file: RemoteFile,
  receiver: ContentReceiver,
  options: StreamOptions,
): Promise<boolean> {
  let alive = true;
  const controller = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
  const watch = setInterval(() => {
    if (!alive)
      controller.abort(new TransferFailure(`nothing came for ${options.stallMs / 1000} s`, "stalled"));
    alive = false;
  }, options.stallMs);
  try {
    const blob = await api.openXet(state, file, () => (alive = true), signal);
    if (blob === undefined) return false;
    await receiver.begin({ offset: receiver.offset, etag: undefined });
    const reader = (blob.slice(receiver.offset).stream() as ReadableStream<Uint8Array>).getReader();
    const cancel = (): void => void reader.cancel(signal.reason).catch(() => undefined);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for (;;) {
        const { done, value } = await reader.read();
        signal.throwIfAborted();
        if (done) return true;
        alive = true;
        await receiver.sink(value);
        alive = true;
      }
    } finally {
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  } finally {
    clearInterval(watch);
  }
}

/** @returns the position of the first byte of the body, or what is wrong with the answer */
function startOf(response: HttpResponse<ResponseBody>, offset: number, bytes: number): number | string {
  const encoding = header(response.headers, "content-encoding") ?? "identity";
  if (encoding !== "identity") return `the server compresses the file (${encoding.slice(0, 20)})`;
  if (response.status === 200) {
    const length = header(response.headers, "content-length");
    return length === undefined || Number(length) === bytes
      ? 0
      : `the server sends ${Number(length)} bytes of ${bytes}`;
  }
  if (response.status !== 206 || offset === 0) return `the server answers with status ${response.status}`;
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header(response.headers, "content-range") ?? "");
  const fits =
    Number(range?.[1]) === offset && Number(range?.[2]) === bytes - 1 && Number(range?.[3]) === bytes;
  return fits ? offset : `the server sends another range than bytes ${offset} to ${bytes - 1} of ${bytes}`;
}
