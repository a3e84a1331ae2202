import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { refuseExisting } from "../../src/ui/refuse-existing.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-test-"));
  await writeFile(path.join(folder, "there"), "x");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["there", "OUTPUT_EXISTS"],
  ["no/such/folder/file", "OUTPUT_FOLDER"],
  ["there/file", "OUTPUT_FOLDER"],
])("refuses %s before any work: %s", async (name, code) => {
  await expect(refuseExisting(path.join(folder, name))).rejects.toMatchObject({ code, exit: "cannotCreate" });
});

it("lets --force replace a file, but no folder", async () => {
  await expect(refuseExisting(path.join(folder, "there"), { force: true })).resolves.toBeUndefined();
  await expect(refuseExisting(folder, { force: true })).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
});

it("says of a folder that it is one, not that --force would replace it", async () => {
  await expect(refuseExisting(folder)).rejects.toMatchObject({ message: `${folder} is a folder.` });
});

it("lets a new file pass", async () => {
  await expect(refuseExisting(path.join(folder, "new"))).resolves.toBeUndefined();
});
