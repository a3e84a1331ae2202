import { UserError } from "../errors.js";
import { TransferFailure } from "./failures.js";
import type { HttpResponse } from "./http-client.js";

/** Fewer bytes than this within the stall time, and a transfer counts as standing still. */
const leastProgressBytes = 1024;

/** A body that comes as events. Every message of node:http is one. */
export interface ResponseBody {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  once(event: "end" | "close", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  removeAllListeners(event: "data"): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/**
 * Takes a chunk, whose memory is used again as soon as it returns. A promise in return asks to wait before the next one,
 * and before the end.
 */
export type ChunkSink = (chunk: Uint8Array) => Promise<void> | undefined;

/**
 * Hands every chunk of a body to `sink`. Plain events instead of an async iterator: at gigabytes per second
 * a promise per 64 KB chunk costs a fifth of the throughput.
 * @throws TransferFailure when the body is cut off, or stands still for `stallMs` while nobody here is waiting
 */
export function pumpBody(
  { body }: { readonly body: ResponseBody },
  sink: ChunkSink,
  options: { stallMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let receivedSinceCheck = 0;
    /** What the sink asked to wait for. */
    let pending: Promise<void> | undefined;
    let ended = false;
    const watch = setInterval(() => {
      if (pending === undefined && receivedSinceCheck < leastProgressBytes) {
        settle(new TransferFailure(`nothing came for ${options.stallMs / 1000} s`, "stalled"));
      }
      receivedSinceCheck = 0;
    }, options.stallMs);
    const settle = (error?: unknown): void => {
      clearInterval(watch);
      body.removeAllListeners("data");
      if (error === undefined) return resolve();
      body.destroy();
      reject(options.signal?.aborted === true ? options.signal.reason : error);
    };
    body.on("data", (chunk: Buffer) => {
      receivedSinceCheck += chunk.length;
      try {
        pending = sink(chunk);
      } catch (error) {
        return settle(error);
      }
      if (pending === undefined) return;
      body.pause();
      pending.then(() => {
        pending = undefined;
        receivedSinceCheck = leastProgressBytes;
        body.resume();
      }, settle);
    });
    const breakOff = (reason: string): void => {
      if (!ended) settle(new TransferFailure(`the transfer was cut off${reason}`, "cut"));
    };
    body.once("error", (error) => breakOff(` (${error.message})`));
    body.once("close", () => breakOff(""));
    body.once("end", () => {
      ended = true;
      // It comes after the last chunk, even if the sink is not done with that.
      void Promise.resolve(pending).then(() => settle(), settle);
    });
    body.resume();
  });
}

/**
 * Reads a body that has to be small.
 * @throws UserError HUB_BAD_RESPONSE (exit 69) beyond `maxBytes`; TransferFailure
 */
export async function readBody(
  response: HttpResponse<ResponseBody>,
  options: { maxBytes: number; stallMs: number; signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  await pumpBody(
    response,
    (chunk) => {
      total += chunk.length;
      if (total > options.maxBytes) {
        throw new UserError(
          "network",
          "HUB_BAD_RESPONSE",
          `${response.url.host} sends more than ${options.maxBytes} bytes where a short answer belongs`,
          "Check HF_ENDPOINT and the proxy, if one is set.",
        );
      }
      chunks.push(Uint8Array.from(chunk));
      return undefined;
    },
    options,
  );
  return Buffer.concat(chunks);
}
