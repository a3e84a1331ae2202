import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { noticesOf, openHub, runDownload, startHub, temporaryFolder } from "./hub-fixture.js";
import type { Fault } from "./server/faults.js";
import { checkpointRecipes, makeRepo } from "./server/served-repo.js";

const smallBytes = 400_000;
/** Enough for a connection of its own, past node's parser. */
const largeBytes = 1_500_000;
const weights = "model.safetensors";

/** A hub whose content answers for the weights fail the first `times` times. */
async function failingHub(
  fault: Fault,
  times: number,
  { onlyRanges = false, weightBytes = smallBytes }: { onlyRanges?: boolean; weightBytes?: number } = {},
) {
  const server = await startHub();
  const repo = server.add(makeRepo("org/model", checkpointRecipes(weightBytes)));
  let left = times;
  server.faults = (request) => {
    // Weights come from the other origin; an answer of the first is only a redirect.
    if (request.origin !== "cdn" || request.file !== weights) return undefined;
    if (onlyRanges && request.headers.range === undefined) return { kind: "cut", afterBytes: 150_000 };
    return left-- > 0 ? fault : undefined;
  };
  const home = await temporaryFolder();
  return { server, repo, home, hub: await openHub(server, home) };
}

describe.each([smallBytes, largeBytes])("a download of %i bytes that fails in passing", (weightBytes) => {
  it.each<[string, Fault]>([
    ["the connection is cut before the first byte", { kind: "cut", afterBytes: 0 }],
    ["the connection is cut in the middle", { kind: "cut", afterBytes: 123_456 }],
    ["the connection is cut before the last byte", { kind: "cut", afterBytes: weightBytes - 1 }],
    ["the connection is reset", { kind: "reset" }],
    ["the server never answers", { kind: "silence" }],
    ["the transfer stands still", { kind: "stall", afterBytes: 50_000 }],
    ["the transfer trickles", { kind: "trickle", everyMs: 20 }],
    ["the body is short", { kind: "length", by: -1000, framing: "length" }],
    ["the body is short and chunked", { kind: "length", by: -1000, framing: "chunked" }],
    ["the body is long", { kind: "length", by: 1000, framing: "length" }],
    ["the body is long and chunked", { kind: "length", by: 1000, framing: "chunked" }],
    ["the body is compressed", { kind: "gzip" }],
    ["the server is overloaded", { kind: "status", status: 503 }],
    ["the server breaks down", { kind: "status", status: 500 }],
    ["the gateway breaks down", { kind: "status", status: 502 }],
    ["the server times out", { kind: "status", status: 408 }],
    ["there are too many requests", { kind: "status", status: 429 }],
    ["a byte is wrong", { kind: "corrupt", at: 200_000 }],
  ])("goes on when %s", async (_, fault) => {
    const { hub, repo } = await failingHub(fault, 1, { weightBytes });
    const { result, events } = await runDownload(hub, { repo: "org/model" });
    const content = await readFile(path.join(result.path, weights));
    expect(repo.files.get(weights)?.content.equals(content)).toBe(true);
    expect(noticesOf(events).length).toBeGreaterThan(0);
  });

  it.each<[string, Fault]>([
    ["ignores the range", { kind: "ignore-range" }],
    ["answers 416", { kind: "status", status: 416 }],
    ["sends another range and says so", { kind: "shift-range", by: -1000, admit: true }],
    ["sends another range and lies", { kind: "shift-range", by: -1000, admit: false }],
    ["names another size", { kind: "content-range", value: "bytes 150000-399999/500000" }],
    ["sends a range header that makes no sense", { kind: "content-range", value: "lines 1-2" }],
  ])("starts over when the server %s", async (_, fault) => {
    const { hub, repo } = await failingHub(fault, 1, { onlyRanges: true, weightBytes });
    const { result } = await runDownload(hub, { repo: "org/model" });
    const content = await readFile(path.join(result.path, weights));
    expect(repo.files.get(weights)?.content.equals(content)).toBe(true);
  });

  it("starts over with a server that never gives a proper range", async () => {
    const { hub, repo, server } = await failingHub({ kind: "cut", afterBytes: 150_000 }, 1, { weightBytes });
    const first = server.faults;
    server.faults = (request) => {
      const isRange = request.origin === "cdn" && request.headers.range !== undefined;
      return isRange ? { kind: "content-range", value: "bytes 1-2/3" } : first(request);
    };
    const { result } = await runDownload(hub, { repo: "org/model" });
    expect(repo.files.get(weights)?.content.equals(await readFile(path.join(result.path, weights)))).toBe(
      true,
    );
  });

  it("waits as long as Retry-After says", async () => {
    const { hub } = await failingHub({ kind: "status", status: 429, headers: { "retry-after": "1" } }, 1, {
      weightBytes,
    });
    const started = Date.now();
    const { events } = await runDownload(hub, { repo: "org/model" });
    expect(Date.now() - started).toBeGreaterThan(950);
    expect(noticesOf(events)).toEqual(["too many requests; trying again in 1 s"]);
  });

  it("survives a server that gives 30 kB at a time", async () => {
    const { hub, repo, server } = await failingHub({ kind: "cut", afterBytes: 30_000 }, 1000, {
      weightBytes,
    });
    const { result } = await runDownload(hub, { repo: "org/model" });
    expect(repo.files.get(weights)?.content.equals(await readFile(path.join(result.path, weights)))).toBe(
      true,
    );
    expect(server.contentRequests(weights).filter(({ origin }) => origin === "cdn").length).toBeGreaterThan(
      12,
    );
  });
});

describe("a download that fails for good", () => {
  it.each<[string, Fault, string, string]>([
    ["every answer has a wrong byte", { kind: "corrupt", at: 7 }, "HASH_MISMATCH", "badFile"],
    ["the server stays overloaded", { kind: "status", status: 503 }, "HUB_SERVER_ERROR", "tryLater"],
    [
      "there are too many requests for an hour",
      { kind: "status", status: 429, headers: { "retry-after": "3600" } },
      "HUB_RATE_LIMIT",
      "tryLater",
    ],
    ["the connection breaks every time", { kind: "cut", afterBytes: 10 }, "HUB_TRANSFER", "network"],
    ["the body is always longer", { kind: "length", by: 9, framing: "chunked" }, "HUB_TRANSFER", "network"],
    ["the redirects never end", { kind: "redirect", to: "/loop" }, "HUB_REDIRECT", "network"],
    [
      "the redirect leads to a file",
      { kind: "redirect", to: "file:///etc/passwd" },
      "HUB_REDIRECT",
      "network",
    ],
  ])("says so when %s", async (_, fault, code, exit) => {
    const server = await startHub();
    server.add(makeRepo("org/model", checkpointRecipes(smallBytes)));
    server.faults = ({ origin, url }) => (origin === "cdn" || url === "/loop" ? fault : undefined);
    const home = await temporaryFolder();
    const hub = await openHub(server, home);
    await expect(runDownload(hub, { repo: "org/model" })).rejects.toMatchObject({ code, exit });
    const snapshot = path.join(home, ".cache/huggingface/hub/models--org--model/snapshots");
    const shown = (await readdir(snapshot, { recursive: true })).filter((name) => name.endsWith(weights));
    expect(shown).toEqual([]);
  });

  it("keeps nothing of a content whose hash is wrong", async () => {
    const { hub, home } = await failingHub({ kind: "corrupt", at: 7 }, 1000);
    await expect(runDownload(hub, { repo: "org/model" })).rejects.toMatchObject({ code: "HASH_MISMATCH" });
    const blobs = await readdir(path.join(home, ".cache/huggingface/hub/models--org--model/blobs"));
    expect(blobs.filter((name) => name.includes(".part"))).toEqual([]);
  });

  it("names both hashes", async () => {
    const { hub, repo } = await failingHub({ kind: "corrupt", at: 7 }, 1000);
    const { sha256 = "" } = repo.files.get(weights) ?? {};
    await expect(runDownload(hub, { repo: "org/model" })).rejects.toThrow(
      new RegExp(`model.safetensors: the Hub lists ${sha256}, and what it sends hashes to [0-9a-f]{64}`),
    );
  });
});
