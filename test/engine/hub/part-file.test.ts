import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { PartFile } from "../../../src/engine/hub/part-file.js";
import {
  findLeftParts,
  ownTemporaryPath,
  removeLeftTemporaries,
} from "../../../src/engine/hub/part-names.js";
import { temporaryFolder } from "./hub-fixture.js";
import { noise } from "./server/served-repo.js";

const hash = "ab".repeat(32);
let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

async function fill(part: PartFile, content: Buffer): Promise<void> {
  for (let at = 0; at < content.length; at += 65_536) await part.append(content.subarray(at, at + 65_536));
}

describe("PartFile", () => {
  it("writes in order, tells how far it is, and appears under its name", async () => {
    const content = noise(5_000_001);
    const part = await PartFile.open(folder, hash, content.length);
    const written: number[] = [];
    part.onWritten = (bytes) => written.push(bytes);
    await fill(part, content);
    expect(part.size).toBe(content.length);
    const target = path.join(folder, hash);
    await part.publish(target);
    expect(content.equals(await readFile(target))).toBe(true);
    expect(written).toEqual([...written].sort((a, b) => a - b));
    expect(written.at(-1)).toBe(content.length);
    expect(await readdir(folder)).toEqual([hash]);
  });

  it("is taken over with its ETag by who comes next", async () => {
    const first = await PartFile.open(folder, hash, 100);
    await first.append(Buffer.from("hello"));
    await first.rememberEtag('"tag"');
    expect(await findLeftParts(folder, hash)).toEqual([]);
    await first.release();
    const second = await PartFile.open(folder, hash, 100);
    expect([second.size, second.etag]).toEqual([5, '"tag"']);
    await second.append(Buffer.from(" world"));
    await second.publish(path.join(folder, hash));
    expect(await readFile(path.join(folder, hash), "utf8")).toBe("hello world");
  });

  it("lets exactly one of many take a part over", async () => {
    const first = await PartFile.open(folder, hash, 100);
    await first.append(Buffer.from("hello"));
    await first.release();
    const parts = await Promise.all(Array.from({ length: 8 }, () => PartFile.open(folder, hash, 100)));
    expect(parts.map((part) => part.size).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 5]);
    await Promise.all(parts.map((part) => part.release()));
  });

  it("keeps no weak ETag and no empty part", async () => {
    const part = await PartFile.open(folder, hash, 100);
    await part.rememberEtag('W/"weak"');
    expect(part.etag).toBeUndefined();
    await part.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it("starts over", async () => {
    const part = await PartFile.open(folder, hash, 100);
    await part.append(Buffer.from("wrong"));
    await part.reset();
    await part.append(Buffer.from("right!"));
    await part.publish(path.join(folder, hash));
    expect(await readFile(path.join(folder, hash), "utf8")).toBe("right!");
  });

  it("does not overwrite a longer file's bytes with a hole after a failed write", async () => {
    const part = await PartFile.open(folder, hash, 10_000_000);
    const handle = (part as unknown as { handle: { close(): Promise<void> } }).handle;
    await handle.close();
    await expect(fill(part, noise(4_000_000))).rejects.toThrow();
    expect((await stat(part.path)).size).toBe(0);
  });

  it("does not appear when a sync on the way failed", async () => {
    const part = await PartFile.open(folder, hash, 100);
    await part.append(Buffer.from("hello"));
    const { handle } = part as unknown as { handle: { datasync(): Promise<void> } };
    handle.datasync = () => Promise.reject(new Error("EIO"));
    await part.flush();
    part.startSync();
    await expect(part.publish(path.join(folder, hash))).rejects.toThrow("EIO");
    expect(await readdir(folder)).not.toContain(hash);
    await part.release();
  });
});

describe("what killed processes leave", () => {
  it("is removed: temporary names and notes on parts that are gone", async () => {
    const own = path.basename(ownTemporaryPath(folder));
    const dead = own.replace(/-\d+-\d+-/, "-4194305-1-");
    const names = [own, dead, `${hash}${dead.slice(1).replace(".tmp", ".part.json")}`, "other.tmp", hash];
    for (const name of names) await writeFile(path.join(folder, name), "");
    await removeLeftTemporaries(folder);
    expect((await readdir(folder)).sort()).toEqual([own, "other.tmp", hash].sort());
  });
});
