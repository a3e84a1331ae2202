import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownIdentity } from "../../../src/engine/system/process-identity.js";
import { acquireLock } from "../../../src/engine/system/process-lock.js";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-lock-"));
  file = path.join(folder, "sub", "x.lock");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeHolder(holder: object, ageMs = 0): Promise<void> {
  const lock = await acquireLock(file);
  await lock.release();
  await writeFile(file, JSON.stringify({ ...ownIdentity(), token: "t", ...holder }));
  const then = new Date(Date.now() - ageMs);
  await utimes(file, then, then);
}

describe("acquireLock", () => {
  it("lets one holder in at a time, in the order of nobody's choosing but all of them", async () => {
    let inside = 0;
    let most = 0;
    const visits = Array.from({ length: 20 }, async () => {
      const lock = await acquireLock(file);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside -= 1;
      await lock.release();
    });
    await Promise.all(visits);
    expect(most).toBe(1);
    expect(await readdir(path.dirname(file))).toEqual([]);
  });

  it("explains a folder that cannot be made", async () => {
    await writeFile(path.join(folder, "sub"), "");
    await expect(acquireLock(path.join(folder, "sub", "cache", "x.lock"))).rejects.toMatchObject({
      exit: "disk",
      code: "DISK_ERROR",
    });
  });

  it("tells once who is waited for", async () => {
    const first = await acquireLock(file);
    const holders: (number | undefined)[] = [];
    const second = acquireLock(file, { onWait: (holder) => holders.push(holder?.pid) });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await first.release();
    await (await second).release();
    expect(holders).toEqual([process.pid]);
  });

  it("stops waiting when the signal says so", async () => {
    const first = await acquireLock(file);
    const abort = new AbortController();
    const second = acquireLock(file, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(second).rejects.toMatchObject({ name: "AbortError" });
    await first.release();
  });

  it("takes the lock of a process that was killed, at once", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log(1)"]);
    await once(child.stdout, "data");
    const { host } = ownIdentity();
    await writeHolder({ host, pid: child.pid, start: "0" });
    let waited = false;
    const waiting = acquireLock(file, { onWait: () => (waited = true) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waited).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    const started = Date.now();
    await (await waiting).release();
    expect(Date.now() - started).toBeLessThan(1500);
  });

  it("knows a reused process id by its start time", async () => {
    const { start } = ownIdentity();
    if (start === "0") return;
    await writeHolder({ start: String(Number(start) + 1) });
    await (await acquireLock(file, { signal: AbortSignal.timeout(2000) })).release();
  });

  it("does not take a living holder's lock, however old its heartbeat", async () => {
    await writeHolder({}, 3_600_000);
    await expect(acquireLock(file, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  });

  it.each([
    ["silent for 2 minutes", 120_000, true],
    ["heard of 5 s ago", 5_000, false],
  ])("judges a holder on another machine by its heartbeat: %s", async (_, ageMs, taken) => {
    await writeHolder({ host: "ffffffff" }, ageMs);
    const attempt = acquireLock(file, { signal: AbortSignal.timeout(300) });
    if (taken) await (await attempt).release();
    else await expect(attempt).rejects.toThrow();
  });

  it("takes a lock whose writer died before it wrote", async () => {
    await writeHolder({});
    await writeFile(file, "");
    await expect(acquireLock(file, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    const old = new Date(Date.now() - 20_000);
    await utimes(file, old, old);
    await (await acquireLock(file, { signal: AbortSignal.timeout(2000) })).release();
  });

  it("does not remove a lock that has become somebody else's", async () => {
    const lock = await acquireLock(file);
    await writeFile(file, JSON.stringify({ ...ownIdentity(), token: "another" }));
    await lock.release();
    expect(await readFile(file, "utf8")).toContain("another");
  });

  it("gives a stale lock to one of many that want it", async () => {
    await writeHolder({ pid: 2 ** 22 + 1, start: "1" });
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const lock = await acquireLock(file);
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside -= 1;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
  });
});
