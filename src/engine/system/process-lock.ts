import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, stat, unlink, utimes } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asDiskError } from "./disk.js";
import { ownIdentity, processState, type ProcessIdentity } from "./process-identity.js";

/** Who holds a lock. */
export interface LockHolder extends ProcessIdentity {
  /** Unique per acquisition. */
  readonly token: string;
}

export interface ProcessLock {
  /** Frees the lock. A second call does nothing. */
  release(): Promise<void>;
}

/** A holder touches its lock this often, so that other machines see that it lives. */
const heartbeatMs = 10_000;
/** Without a heartbeat for this long, a holder on another machine counts as dead. */
const silenceMs = 60_000;
/** A lock file without readable content is one whose writer died between two system calls, once it is this old. */
const unreadableMs = 10_000;

/**
 * Waits until this process alone holds the lock file `file`.
 *
 * The file is created with O_EXCL and names its holder. A holder on this machine is asked for by its
 * process id (and start time, as ids are reused): a dead one loses the lock at once, a living one never does,
 * however long it takes. A holder elsewhere, on a shared disk, is judged by the file's modification time.
 *
 * The lock saves doing work twice. Nothing may depend on it for correctness: what two holders write
 * has to be complete or absent on its own.
 *
 * @throws UserError DISK_FULL, DISK_ERROR (exit 74) when the file cannot be made
 * @param options.signal stops the wait with an AbortError
 * @param options.onWait called once, when the lock turns out to be held
 */
export async function acquireLock(
  file: string,
  options: { signal?: AbortSignal; onWait?: (holder: LockHolder | undefined) => void } = {},
): Promise<ProcessLock> {
  await mkdir(path.dirname(file), { recursive: true }).catch((error: unknown) => {
    throw asDiskError(error, path.dirname(file));
  });
  const holder: LockHolder = { ...ownIdentity(), token: randomBytes(8).toString("hex") };
  let told = false;
  for (let pauseMs = 20; ; pauseMs = Math.min(200, pauseMs * 1.5)) {
    options.signal?.throwIfAborted();
    if (await createExclusively(file, JSON.stringify(holder))) return hold(file, holder);
    if (await isStale(file)) {
      await removeStale(file);
      continue;
    }
    if (!told) {
      told = true;
      options.onWait?.(await readHolder(file));
    }
    await sleep(pauseMs, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Removes the locks (`*.parley.lock`) that dead processes left in a folder. */
export async function removeDeadLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const file = path.join(folder, name);
    if (/\.parley\.lock$/.test(name) && (await isStale(file))) await removeStale(file);
    if (/\.parley\.lock\.guard$/.test(name) && (await isStale(file))) await unlinkIfPresent(file);
  }
}

function hold(file: string, holder: LockHolder): ProcessLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    void utimes(file, now, now).catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();
  let released = false;
  return {
    release: async () => {
      if (released) return;
      released = true;
      clearInterval(heartbeat);
      if ((await readHolder(file))?.token === holder.token) await unlinkIfPresent(file);
    },
  };
}

async function isStale(file: string): Promise<boolean> {
  const holder = await readHolder(file);
  const silentFor = await ageMs(file);
  if (silentFor === undefined) return false;
  if (holder === undefined) return silentFor > unreadableMs;
  const state = processState(holder);
  return state === "dead" || (state === "unknown" && silentFor > silenceMs);
}

/**
 * Removes a dead holder's file. Only one process at a time may do this, or the second would remove the lock
 * that a third has taken meanwhile; the guard, a lock of its own, is held for two system calls.
 */
async function removeStale(file: string): Promise<void> {
  const guard = `${file}.guard`;
  const holder: LockHolder = { ...ownIdentity(), token: "guard" };
  if (!(await createExclusively(guard, JSON.stringify(holder)))) {
    if (await isStale(guard)) await unlinkIfPresent(guard);
    await sleep(10);
    return;
  }
  try {
    if (await isStale(file)) await unlinkIfPresent(file);
  } finally {
    await unlinkIfPresent(guard);
  }
}

async function createExclusively(file: string, content: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw asDiskError(error, file);
  }
}

async function readHolder(file: string): Promise<LockHolder | undefined> {
  try {
    const value = JSON.parse(await readFile(file, "utf8")) as Partial<LockHolder>;
    const complete =
      typeof value.host === "string" &&
      Number.isSafeInteger(value.pid) &&
      typeof value.start === "string" &&
      typeof value.token === "string";
    return complete ? (value as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

async function ageMs(file: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function unlinkIfPresent(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
