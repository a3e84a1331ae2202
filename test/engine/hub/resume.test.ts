import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openHub, runDownload, startHub, temporaryFolder } from "./hub-fixture.js";
import { makeRepo, noise, type ServedRepo } from "./server/served-repo.js";
import type { TestHub } from "./server/hub-server.js";

const bytes = 3_000_000;
const weights = "model.safetensors";
const dead = "00000000-0-0";

async function setUp(): Promise<{
  server: TestHub;
  repo: ServedRepo;
  home: string;
  blobs: string;
  sha256: string;
}> {
  const server = await startHub();
  const repo = server.add(makeRepo("org/model", { [weights]: { content: noise(bytes), storage: "lfs" } }));
  const home = await temporaryFolder();
  const blobs = path.join(home, ".cache/huggingface/hub/models--org--model/blobs");
  await mkdir(blobs, { recursive: true });
  return { server, repo, home, blobs, sha256: repo.files.get(weights)?.sha256 ?? "" };
}

function cdnRequests(server: TestHub): { start: number; ifRange: unknown }[] {
  return server.requests
    .filter(({ origin, file }) => origin === "cdn" && file === weights)
    .map(({ rangeStart, headers }) => ({ start: rangeStart, ifRange: headers["if-range"] }));
}

describe("resuming", () => {
  it("goes on where an aborted run stopped, in the same process", async () => {
    const { server, repo, home } = await setUp();
    server.faults = ({ origin }) => (origin === "cdn" ? { kind: "stall", afterBytes: 2_000_000 } : undefined);
    // on a machine that others keep busy, an answer may take longer than the second the other tests allow
    const patient = { HF_HUB_DOWNLOAD_TIMEOUT: "30", HF_HUB_ETAG_TIMEOUT: "30" };
    const hub = await openHub(server, home, { variables: patient });
    const abort = new AbortController();
    const run = runDownload(hub, { repo: "org/model" }, abort.signal, (event) => {
      if (event.type === "progress" && event.progress.doneBytes === 2_000_000) abort.abort();
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    server.faults = () => undefined;
    server.requests.length = 0;
    const { result } = await runDownload(hub, { repo: "org/model" });
    expect(result.files[0]?.status).toBe("resumed");
    expect(repo.files.get(weights)?.content.equals(await readFile(path.join(result.path, weights)))).toBe(
      true,
    );
    const [request] = cdnRequests(server);
    expect(request?.start).toBe(2_000_000);
    expect(request?.ifRange).toMatch(/^"[0-9a-f]+"$/);
  });

  it("takes over the part of a process that is gone, and the largest of several", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    const content = noise(bytes);
    await writeFile(path.join(blobs, `${sha256}.${dead}-00000001.part`), content.subarray(0, 1_000_000));
    await writeFile(path.join(blobs, `${sha256}.${dead}-00000002.part`), content.subarray(0, 2_500_000));
    const { result } = await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(result.files[0]?.status).toBe("resumed");
    expect(cdnRequests(server)).toEqual([{ start: 2_500_000, ifRange: undefined }]);
    expect(await readdir(blobs)).toEqual([sha256]);
  });

  it("leaves the part of a living process alone", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    const { ownIdentity } = await import("../../../src/engine/system/process-identity.js");
    const { host } = ownIdentity();
    const alive = `${sha256}.${host}-${process.ppid}-0-00000001.part`;
    await writeFile(path.join(blobs, alive), noise(bytes).subarray(0, 1_000_000));
    const { result } = await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(result.files[0]?.status).toBe("downloaded");
    expect(cdnRequests(server)).toEqual([{ start: 0, ifRange: undefined }]);
    expect((await readdir(blobs)).sort()).toEqual([sha256, alive].sort());
  });

  it("fetches nothing when the part is complete, but hashes it", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    await writeFile(path.join(blobs, `${sha256}.${dead}-00000001.part`), noise(bytes));
    await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(cdnRequests(server)).toEqual([]);
  });

  it("fetches everything again when a part is not what it should be", async () => {
    const { server, repo, home, blobs, sha256 } = await setUp();
    await writeFile(path.join(blobs, `${sha256}.${dead}-00000001.part`), noise(1_000_000, 7));
    const { result } = await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(repo.files.get(weights)?.content.equals(await readFile(path.join(result.path, weights)))).toBe(
      true,
    );
    expect(cdnRequests(server).map(({ start }) => start)).toEqual([1_000_000, 0]);
    expect(result.files[0]?.status).toBe("downloaded");
  });

  it("removes a part that is longer than the file", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    await writeFile(path.join(blobs, `${sha256}.${dead}-00000001.part`), noise(bytes + 1));
    await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(cdnRequests(server)).toEqual([{ start: 0, ifRange: undefined }]);
    expect(await readdir(blobs)).toEqual([sha256]);
  });

  it("starts over when the server's content has another ETag", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    const part = path.join(blobs, `${sha256}.${dead}-00000001.part`);
    await writeFile(part, noise(bytes).subarray(0, 1_000_000));
    await writeFile(`${part}.json`, JSON.stringify({ etag: '"another"' }));
    const { result } = await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(cdnRequests(server)).toEqual([{ start: 1_000_000, ifRange: '"another"' }]);
    expect(server.requests.at(-1)?.status).toBe(200);
    expect(result.files[0]?.bytes).toBe(bytes);
  });

  it("does not follow a link that takes a part's name", async () => {
    const { server, home, blobs, sha256 } = await setUp();
    const outside = path.join(home, "outside");
    await copyFile(path.join(import.meta.dirname, "resume.test.ts"), outside);
    const before = await readFile(outside);
    const { symlink } = await import("node:fs/promises");
    await symlink(outside, path.join(blobs, `${sha256}.${dead}-00000001.part`));
    await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(await readFile(outside)).toEqual(before);
  });
});

describe("what is in the cache already", () => {
  it("is read once when another program put it there, and then trusted", async () => {
    const { server, repo, home } = await setUp();
    const hub = await openHub(server, home);
    const first = await runDownload(hub, { repo: "org/model" });
    const { rm } = await import("node:fs/promises");
    await rm(path.join(home, ".cache", "parley"), { recursive: true });
    const second = await runDownload(hub, { repo: "org/model" });
    expect(second.result.files[0]).toMatchObject({
      status: "cached",
      sha256: repo.files.get(weights)?.sha256,
    });
    expect(second.events.some((event) => event.type === "progress")).toBe(true);
    const third = await runDownload(hub, { repo: "org/model" });
    expect(third.result.path).toBe(first.result.path);
  });

  it.each([
    ["of the same size", noise(bytes, 3)],
    ["that is too short", noise(1000)],
  ])("is replaced when it is damaged: a blob %s", async (_, damaged) => {
    const { server, repo, home, blobs, sha256 } = await setUp();
    await writeFile(path.join(blobs, sha256), damaged);
    const { result } = await runDownload(await openHub(server, home), { repo: "org/model" });
    expect(result.files[0]?.status).toBe("downloaded");
    expect(repo.files.get(weights)?.content.equals(await readFile(path.join(blobs, sha256)))).toBe(true);
  });

  it("is fetched again and replaced with fetch: again", async () => {
    const { server, home } = await setUp();
    const hub = await openHub(server, home);
    await runDownload(hub, { repo: "org/model" });
    const { result } = await runDownload(hub, { repo: "org/model", fetch: "again" });
    expect(result.files[0]?.status).toBe("downloaded");
    expect(cdnRequests(server)).toHaveLength(2);
  });
});
