import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { discardBody, type HttpClient, type HttpRequest, type HttpResponse } from "./http-client.js";
import { header, HttpFailure } from "./failures.js";
import { readBody, type ResponseBody } from "./http-body.js";
import { withRetries, type RetryNotice, type RetryPolicy } from "./retry.js";

export interface HubFetchOptions {
  readonly policy: RetryPolicy;
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: (notice: RetryNotice) => void;
}

/** One page of a listing is at most 1000 entries of some 300 bytes. */
const maxApiBytes = 16 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/**
 * A `fetch` for @huggingface/hub's API calls that goes through parley's client: with its token rules, retries,
 * time-outs and size limit. The body has arrived when it resolves.
 * @returns a function that throws HttpFailure for an error status, so that the library never words an error
 */
export function apiFetch(client: HttpClient, options: HubFetchOptions): typeof fetch {
  return (input, init) =>
    withRetries(async () => {
      const response = await client.request(addressOf(input), requestOf(init, options.signal));
      await throwForStatus(response, options);
      const body = await readBody(response, { ...options, maxBytes: maxApiBytes });
      return asWebResponse(response, body);
    }, options);
}

/**
 * A `fetch` for the library's xet downloads: the body is passed on as it comes, and so is an error status, because
 * the library renews expired addresses itself.
 * @param onBytes told of every chunk from the network, as a sign of life
 */
export function streamingFetch(
  client: HttpClient,
  options: HubFetchOptions,
  onBytes: (count: number) => void,
): typeof fetch {
  return async (input, init) => {
    const response = await client.request(addressOf(input), requestOf(init, options.signal));
    response.body.on("data", (chunk: Buffer) => onBytes(chunk.length));
    response.body.pause();
    return asWebResponse(response, Readable.toWeb(response.body) as ReadableStream<Uint8Array>);
  };
}

/** @throws HttpFailure for a status from 400 on, with what the server says about it */
export async function throwForStatus(
  response: HttpResponse<ResponseBody>,
  options: { stallMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  if (response.status < 400) return;
  let text = header(response.headers, "x-error-message");
  if (text === undefined && header(response.headers, "content-type")?.startsWith("application/json")) {
    text = await readErrorText(response, options);
  } else {
    discardBody(response);
  }
  throw new HttpFailure(response.status, response.headers, response.url, text ?? "");
}

async function readErrorText(
  response: HttpResponse<ResponseBody>,
  options: { stallMs: number; signal?: AbortSignal | undefined },
): Promise<string> {
  try {
    const body = await readBody(response, { ...options, maxBytes: maxErrorBytes });
    const { error } = JSON.parse(body.toString("utf8")) as { error?: unknown };
    return typeof error === "string" ? error : "";
  } catch {
    options.signal?.throwIfAborted();
    return "";
  }
}

function addressOf(input: Parameters<typeof fetch>[0]): string {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
}

function requestOf(init: RequestInit | undefined, signal: AbortSignal | undefined): HttpRequest {
  return {
    method: (init?.method ?? "GET") as "GET" | "POST",
    headers: (init?.headers ?? {}) as Record<string, string>,
    ...(typeof init?.body === "string" ? { body: init.body } : {}),
    signal,
  };
}

function asWebResponse(response: HttpResponse, body: Buffer | ReadableStream<Uint8Array>): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const web = new Response(body, { status: response.status, headers });
  // The constructor cannot set it, and the library puts it into its errors.
  return Object.defineProperty(web, "url", { value: response.url.href });
}
