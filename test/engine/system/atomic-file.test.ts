import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAtomicFile, writeFileAtomically } from "../../../src/engine/system/atomic-file.js";
import { distFile } from "../../../src/engine/system/package-root.js";
import { ownIdentity } from "../../../src/engine/system/process-identity.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-atomic-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const bytes = (text: string) => Buffer.from(text, "utf8");

describe("a file that is written", () => {
  it("is under its name only after commit", async () => {
    const target = path.join(folder, "model.gguf");
    const file = await createAtomicFile(target);
    await file.write(bytes("hello "));
    await file.write(bytes("world"));
    await file.writeAt(0, bytes("H"));
    await file.write(bytes("!"));
    expect(await readdir(folder)).toEqual([path.basename(file.temporaryPath)]);
    await file.commit();
    expect(await readdir(folder)).toEqual(["model.gguf"]);
    expect(await readFile(target, "utf8")).toBe("Hello world!");
  });

  it("lets verify read every byte first, and is gone when verify refuses", async () => {
    const target = path.join(folder, "a");
    const file = await createAtomicFile(target);
    await file.write(bytes("abc"));
    const verify = async (temporaryPath: string) => {
      expect(await readFile(temporaryPath, "utf8")).toBe("abc");
      throw new Error("not good enough");
    };
    await expect(file.commit({ verify })).rejects.toThrow("not good enough");
    expect(await readdir(folder)).toEqual([]);
  });

  it("does not appear when the disk failed while others were still writing", async () => {
    const file = await createAtomicFile(path.join(folder, "a"));
    const { handle } = file as unknown as { handle: { datasync(): Promise<void> } };
    handle.datasync = () =>
      Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "fdatasync" }));
    file.noteWritten(1024 ** 3);
    await expect(file.commit()).rejects.toMatchObject({ code: "DISK_ERROR" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is gone after abort, which may be called twice", async () => {
    const file = await createAtomicFile(path.join(folder, "a"));
    await file.write(bytes("abc"));
    await file.abort();
    await file.abort();
    expect(await readdir(folder)).toEqual([]);
    await expect(file.write(bytes("d"))).rejects.toThrow("no longer");
  });

  it("stays when abort comes after commit", async () => {
    const target = path.join(folder, "a");
    const file = await createAtomicFile(target);
    await file.commit();
    await file.abort();
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("takes bytes at any position and leaves zeros between", async () => {
    const target = path.join(folder, "a");
    const file = await createAtomicFile(target);
    await file.writeAt(4, bytes("xy"));
    await file.write(bytes("ab"));
    await file.commit();
    expect(await readFile(target, "latin1")).toBe("ab\0\0xy");
  });

  it("keeps concurrent writes in the order of the calls", async () => {
    const target = path.join(folder, "a");
    const file = await createAtomicFile(target);
    await Promise.all(Array.from({ length: 50 }, (_, i) => file.write(bytes(String(i).padStart(3, "0")))));
    await file.commit();
    const expected = Array.from({ length: 50 }, (_, i) => String(i).padStart(3, "0")).join("");
    expect(await readFile(target, "utf8")).toBe(expected);
  });
});

describe("a name that is taken", () => {
  const exists = { exit: "cannotCreate", code: "OUTPUT_EXISTS" };

  it("is refused before anything is written", async () => {
    const target = path.join(folder, "a");
    await writeFile(target, "old");
    await expect(createAtomicFile(target)).rejects.toMatchObject(exists);
    expect(await readFile(target, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("is refused when it was taken meanwhile", async () => {
    const target = path.join(folder, "a");
    const file = await createAtomicFile(target);
    await file.write(bytes("new"));
    await writeFile(target, "other");
    await expect(file.commit()).rejects.toMatchObject(exists);
    expect(await readFile(target, "utf8")).toBe("other");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("goes to exactly one of many writers", async () => {
    const target = path.join(folder, "a");
    const files = await Promise.all(Array.from({ length: 8 }, () => createAtomicFile(target)));
    await Promise.all(files.map((file, i) => file.write(bytes(`writer ${i}`))));
    const results = await Promise.allSettled(files.map((file) => file.commit()));
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["a"]);
    const winner = results.findIndex((result) => result.status === "fulfilled");
    expect(await readFile(target, "utf8")).toBe(`writer ${winner}`);
  });

  it("is replaced with overwrite, and the new file is no more open than the old one", async () => {
    const target = path.join(folder, "a");
    await writeFile(target, "old");
    await chmod(target, 0o600);
    await writeFileAtomically(target, "new", { overwrite: true });
    expect(await readFile(target, "utf8")).toBe("new");
    if (process.platform !== "win32") expect((await stat(target)).mode & 0o777).toBe(0o600);
  });

  it("of a link stays a link when its goal is replaced", async () => {
    await mkdir(path.join(folder, "real"));
    await writeFile(path.join(folder, "real", "a"), "old");
    await symlink(path.join("real", "a"), path.join(folder, "link"));
    await writeFileAtomically(path.join(folder, "link"), "new", { overwrite: true });
    expect(lstatSync(path.join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(await readFile(path.join(folder, "real", "a"), "utf8")).toBe("new");
  });

  it.runIf(process.platform === "linux")("is never an open pipe, as behind /dev/stdout", async () => {
    const link = path.join(folder, "stdout");
    await symlink("/proc/self/fd/1", link);
    const module = pathToFileURL(distFile("engine/system/atomic-file.js")).href;
    const script = `
      const { writeFileAtomically } = await import(${JSON.stringify(module)});
      await writeFileAtomically(${JSON.stringify(link)}, "x", { overwrite: true }).catch(({ code }) => console.log(code));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(output).toBe("OUTPUT_EXISTS\n");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it("is never a folder or a device", async () => {
    await expect(createAtomicFile(folder, { overwrite: true })).rejects.toMatchObject(exists);
    await expect(createAtomicFile(`${folder}/new/`)).rejects.toMatchObject(exists);
    await expect(createAtomicFile("-")).rejects.toMatchObject(exists);
    if (process.platform === "linux") {
      await expect(createAtomicFile("/dev/null", { overwrite: true })).rejects.toMatchObject(exists);
    }
  });
});

describe("a place that cannot be written", () => {
  it("a folder that does not exist", async () => {
    await expect(createAtomicFile(path.join(folder, "none", "a"))).rejects.toMatchObject({
      exit: "cannotCreate",
      code: "OUTPUT_FOLDER",
      message: expect.stringContaining(path.join(folder, "none")) as string,
    });
  });

  it("a name that is too long is refused before the work, not after it", async () => {
    const refusal = { exit: "cannotCreate", code: "OUTPUT_NAME" };
    await expect(createAtomicFile(path.join(folder, "n".repeat(300)))).rejects.toMatchObject(refusal);
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "a folder without permission",
    async () => {
      await chmod(folder, 0o500);
      const refusal = { exit: "cannotCreate", code: "OUTPUT_DENIED" };
      await expect(createAtomicFile(path.join(folder, "a"))).rejects.toMatchObject(refusal);
      await chmod(folder, 0o700);
    },
  );

  const disk = smallDisk();
  afterEach(() => disk?.unmount());
  it.skipIf(disk === undefined)("a disk that is full: nothing is left", async () => {
    const mounted = disk?.mount(folder) ?? "";
    const file = await createAtomicFile(path.join(mounted, "a"));
    const chunk = new Uint8Array(256 * 1024);
    const fill = async () => {
      for (let i = 0; i < 16; i++) await file.write(chunk);
      await file.commit();
    };
    await expect(fill()).rejects.toMatchObject({ exit: "disk", code: "DISK_FULL" });
    expect(await readdir(mounted)).toEqual([]);
  });
});

describe("a process that is killed", () => {
  it("leaves nothing under the name, and its temporary file goes away later", async () => {
    const target = path.join(folder, "big");
    for (const delay of [0, 5, 20, 60]) {
      const child = startWriter(target);
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill("SIGKILL");
      await once(child, "exit");
      const names = await readdir(folder);
      expect(names).not.toContain("big");
      expect(names).toHaveLength(1);
      const [left] = names as [string];

      await writeFileAtomically(path.join(folder, "other"), "x");
      expect(await readdir(folder)).toContain(left);
      const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
      await utimes(path.join(folder, left), longAgo, longAgo);
      await writeFileAtomically(path.join(folder, "other"), "x", { overwrite: true });
      expect(await readdir(folder)).toEqual(["other"]);
      await rm(path.join(folder, "other"));
    }
  });

  it("is told apart from one that still writes", async () => {
    const file = await createAtomicFile(path.join(folder, "slow"));
    expect(path.basename(file.temporaryPath)).toContain(`-${ownIdentity().pid}-`);
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(file.temporaryPath, longAgo, longAgo);
    await writeFileAtomically(path.join(folder, "other"), "x");
    await file.commit();
    expect((await readdir(folder)).sort()).toEqual(["other", "slow"]);
  });
});

/** A process that writes to `target` without end and says so after the first megabyte. */
function startWriter(target: string) {
  const module = pathToFileURL(distFile("engine/system/atomic-file.js")).href;
  const script = `
    const { createAtomicFile } = await import(${JSON.stringify(module)});
    const file = await createAtomicFile(${JSON.stringify(target)});
    const chunk = new Uint8Array(1 << 20);
    await file.write(chunk);
    console.log("writing");
    for (let i = 0; i < 100; i++) {
      await file.writeAt(0, chunk);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** A file system of 1 MiB, where this user may mount one. */
function smallDisk(): { mount(parent: string): string; unmount(): void } | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const probe = path.join(os.tmpdir(), `parley-mount-${process.pid}`);
  const mount = (at: string) => {
    execFileSync("mkdir", ["-p", at]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at], { stdio: "pipe" });
    mounted.push(at);
  };
  const mounted: string[] = [];
  const unmount = () => {
    for (const at of mounted.splice(0)) execFileSync("umount", [at], { stdio: "pipe" });
  };
  try {
    mount(probe);
    unmount();
  } catch {
    return undefined;
  } finally {
    execFileSync("rm", ["-rf", probe]);
  }
  return {
    mount(parent) {
      const at = path.join(parent, "disk");
      mount(at);
      return at;
    },
    unmount,
  };
}
