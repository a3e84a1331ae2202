import { readFile } from "node:fs/promises";

/** Resident memory of a process in bytes, where the system tells it in a file (Linux); otherwise undefined. */
export async function engineMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
