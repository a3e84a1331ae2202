import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { GpuBackend } from "./gpu.js";
import { readSeries } from "./patch-series.js";
import { patchesFolder } from "./upstream-pin.js";

/** Raise when the way the engine is compiled or installed changes. */
const RECIPE = "1";

/**
 * Identity of an engine: everything that decides its machine code. Two installations of parley with the
 * same key share one build. CPU and CUDA devices are part of it, because the build is made for them alone.
 * @returns 24 hex digits
 */
export async function engineKey(gpu: GpuBackend, folder = patchesFolder()): Promise<string> {
  const hash = createHash("sha256");
  const add = (name: string, content: string | Uint8Array) =>
    hash.update(`${name}\0`).update(content).update("\0");

  add("recipe", RECIPE);
  add("platform", `${process.platform} ${process.arch} ${gpu}`);
  add("cpu", await cpuIdentity());
  if (gpu === "cuda") add("gpus", await nvidiaModels());
  add("pin", await readFile(path.join(folder, "upstream.json")));
  for (const entry of await readSeries(folder)) add(entry, await readFile(path.join(folder, entry)));
  for (const file of await filesBelow(path.join(folder, "sources"))) {
    add(path.relative(folder, file), await readFile(file));
  }
  return hash.digest("hex").slice(0, 24);
}

async function cpuIdentity(): Promise<string> {
  if (process.platform === "linux") {
    const info = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
    const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1];
    if (flags !== undefined) return flags.split(" ").sort().join(" ");
  }
  return os.cpus()[0]?.model ?? "unknown";
}

/** As the driver calls them; a home that several machines share needs a build for each kind. */
async function nvidiaModels(): Promise<string> {
  const folder = "/proc/driver/nvidia/gpus";
  const devices = await readdir(folder).catch(() => [] as string[]);
  const models = devices.map(async (device) => {
    const information = await readFile(path.join(folder, device, "information"), "utf8").catch(() => "");
    return /^Model:\s*(.*)$/m.exec(information)?.[1] ?? "unknown";
  });
  return [...new Set(await Promise.all(models))].sort().join("\n");
}

/** All regular files below a folder, sorted, so that the order does not depend on the file system. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
