import { stat, statfs } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { formatBytes } from "./format-bytes.js";

/** Bytes an ordinary user may still write to the file system that holds `folder`. */
export type FreeBytes = (folder: string) => Promise<number>;

const gibibyte = 1024 ** 3;

/**
 * Free bytes at `folder`; where it does not exist yet, at the nearest folder above it that does.
 */
export async function freeBytes(folder: string): Promise<number> {
  const existing = await nearestExisting(folder);
  const info = await statfs(existing, { bigint: true });
  return Number(info.bavail * info.bsize);
}

/** Number of the file system that holds `folder`; where it does not exist yet, of the nearest one above it. */
export async function deviceOf(folder: string): Promise<number> {
  return (await stat(await nearestExisting(folder))).dev;
}

/**
 * Bytes that must stay free after a write of `bytes`: a tenth of it, at most 1 GiB.
 * A full disk breaks other programs, and file systems need room of their own.
 */
export function diskReserve(bytes: number): number {
  return Math.min(gibibyte, Math.ceil(bytes / 10));
}

/**
 * Refuses a job that does not fit, before it starts.
 * @param need.folder  where the bytes will be written
 * @param need.bytes   how many
 * @param need.purpose what for, as the subject of the message: "facebook/cwm"
 * @throws UserError DISK_SPACE (exit 74) with needed and free bytes and the mount point
 */
export async function requireDiskSpace(
  need: { folder: string; bytes: number; purpose: string },
  measure: FreeBytes = freeBytes,
): Promise<void> {
  if (need.bytes === 0) return;
  const wanted = need.bytes + diskReserve(need.bytes);
  const free = await measure(need.folder);
  if (free >= wanted) return;
  throw new UserError(
    "disk",
    "DISK_SPACE",
    `${need.purpose} needs ${formatBytes(wanted)} in ${need.folder}, and ${formatBytes(free)} are free on ${await mountPoint(need.folder)}`,
    `Free ${formatBytes(wanted - free)}, or point the cache at another disk.`,
  );
}

/**
 * Turns "the disk is full" and its relatives into a UserError DISK_FULL or DISK_ERROR (exit 74);
 * anything else comes back unchanged.
 */
export function asDiskError(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const reason = code === undefined ? undefined : diskFailures[code];
  if (reason === undefined) return error;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new UserError("disk", full ? "DISK_FULL" : "DISK_ERROR", `${file}: ${reason[0]}`, reason[1], {
    cause: error,
  });
}

const diskFailures: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOSPC: [
    "the disk is full",
    "Free some space and run the command again; what was already downloaded is kept.",
  ],
  EDQUOT: [
    "your disk quota is used up",
    "Free some space and run the command again; what was already downloaded is kept.",
  ],
  EFBIG: [
    "the file system cannot hold a file of this size",
    "FAT32 stops at 4 GiB: use a disk with another file system.",
  ],
  EROFS: ["the file system is read-only", "Choose another folder, for example with --cache-dir."],
  EACCES: ["permission denied", "Check who owns the folder, or choose another one."],
  EPERM: ["operation not permitted", "Check who owns the folder, or choose another one."],
  ENOTDIR: ["a file is where a folder should be", "Move the file away, or choose another folder."],
  EIO: [
    "the disk reports an input/output error",
    "Check the disk: the system log says which sectors failed.",
  ],
};

async function mountPoint(folder: string): Promise<string> {
  let current = await nearestExisting(folder);
  const device = (await stat(current)).dev;
  for (;;) {
    const parent = path.dirname(current);
    if (parent === current || (await stat(parent)).dev !== device) return current;
    current = parent;
  }
}

async function nearestExisting(folder: string): Promise<string> {
  let current = path.resolve(folder);
  for (;;) {
    try {
      await stat(current);
      return current;
    } catch (error) {
      const parent = path.dirname(current);
      if (parent === current) throw error;
      current = parent;
    }
  }
}
