import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { unreadableFile } from "../../src/ui/unreadable-file.js";

const reading = (file: string) => readFile(file).catch((error: unknown) => unreadableFile(error, file, "X"));

describe("unreadableFile", () => {
  it("tells a missing file, a folder and missing permissions apart", async () => {
    expect(await reading("/absent")).toMatchObject({ exit: "notFound", message: "/absent does not exist." });
    expect(await reading("/")).toMatchObject({ exit: "notFound", message: "/ is a folder." });
    const denied = Object.assign(new Error("EACCES: permission denied, open 'a'"), { code: "EACCES" });
    expect(unreadableFile(denied, "a", "X")).toMatchObject({
      exit: "accessDenied",
      code: "X",
      message: "a cannot be read: permission denied.",
    });
  });

  it.skipIf(process.getuid?.() === 0)("says 77 of a real file without permissions", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "parley-unreadable-"));
    const file = path.join(folder, "a");
    await writeFile(file, "");
    await chmod(file, 0);
    expect(await reading(file)).toMatchObject({ exit: "accessDenied" });
    await rm(folder, { recursive: true });
  });
});
