import { closeSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { ContentHasher, type ContentDigests } from "./content-hash.js";
import type { ContentHash } from "./remote-tree.js";

/** What the main thread sends. Each `id` is one hashing of one file from its first byte. */
export type HashRequest =
  | {
      readonly type: "open";
      readonly id: number;
      readonly file: string;
      readonly kind: ContentHash["kind"];
      readonly bytes: number;
    }
  /** The first `to` bytes of the file are there. */
  | { readonly type: "advance"; readonly id: number; readonly to: number }
  | { readonly type: "digest"; readonly id: number }
  | { readonly type: "close"; readonly id: number };

export type HashReply =
  | { readonly type: "hashed"; readonly id: number; readonly bytes: number }
  | { readonly type: "digests"; readonly id: number; readonly digests: ContentDigests }
  | { readonly type: "failed"; readonly id: number; readonly error: unknown };

interface OpenFile {
  readonly fd: number;
  readonly hasher: ContentHasher;
  at: number;
}

/** Small enough to be in the processor's cache still when it is hashed. */
const buffer = Buffer.allocUnsafe(256 * 1024);
const files = new Map<number, OpenFile>();

/** Hashes files beside the main thread, which has a network to serve: sha256 takes about 0.7 s per GB. */
function serve(port: NonNullable<typeof parentPort>): void {
  port.on("message", (request: HashRequest) => {
    try {
      const reply = answer(request);
      if (reply !== undefined) port.postMessage(reply);
    } catch (error) {
      port.postMessage({ type: "failed", id: request.id, error } satisfies HashReply);
    }
  });
}

function answer(request: HashRequest): HashReply | undefined {
  const { id } = request;
  if (request.type === "open") {
    const hasher = new ContentHasher(request.kind, request.bytes);
    files.set(id, { fd: openSync(request.file, "r"), hasher, at: 0 });
    return undefined;
  }
  const file = files.get(id);
  // After a failure, what was already on its way to this file has nothing to answer.
  if (file === undefined) return undefined;
  if (request.type === "advance") {
    readUpTo(file, request.to);
    return { type: "hashed", id, bytes: file.at };
  }
  files.delete(id);
  closeSync(file.fd);
  return request.type === "digest" ? { type: "digests", id, digests: file.hasher.digests() } : undefined;
}

function readUpTo(file: OpenFile, to: number): void {
  while (file.at < to) {
    const count = readSync(file.fd, buffer, 0, Math.min(buffer.length, to - file.at), file.at);
    if (count === 0) throw new Error("the file became shorter while it was hashed");
    file.hasher.update(buffer.subarray(0, count));
    file.at += count;
  }
}

if (parentPort !== null) serve(parentPort);
