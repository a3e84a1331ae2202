import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { ModelStore, type StoredModel } from "../../src/engine/hub/model-store.js";
import { temporaryFolder } from "../engine/hub/hub-fixture.js";
import { runParley } from "../helpers/run-parley.js";

let home: string;
let store: ModelStore;
let stored: StoredModel[];

beforeEach(async () => {
  home = await temporaryFolder();
  store = new ModelStore(path.join(home, "parley", "cache", "models"));
  stored = [];
  for (const type of ["q4_k_m", "q8_0"]) {
    const source = { name: "facebook/cwm", content: "hub:facebook/cwm@0", converter: "1" };
    const { id, file } = await store.prepare(source, type);
    await writeFile(file, Buffer.alloc(1500));
    stored.push(await store.add(id, { source, type, askedFor: [type], family: "cwm", file }));
  }
});

const run = (...args: string[]) =>
  runParley(["models", ...args], {
    bare: true,
    env: { HOME: home, PARLEY_HOME: path.join(home, "parley") },
  });

describe("parley models", () => {
  it.each([[[]], [["list"]]])("lists the store: models %j", async (args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^NAME +TYPE +FAMILY +SIZE +LAST USED +ID$/);
    expect(stdout).toMatch(
      /facebook\/cwm +q4_k_m +cwm +1\.50 kB +20\d\d-\d\d-\d\d \d\d:\d\d +facebook--cwm-q4_k_m-/,
    );
    expect(stderr).toContain("2 models, 3.00 kB");
  });

  it("prints JSON", async () => {
    const document = JSON.parse((await run("--json")).stdout) as { bytes: number; models: object[] };
    expect(document.bytes).toBe(3000);
    expect(document.models[0]).toMatchObject({
      name: "facebook/cwm",
      type: "q4_k_m",
      family: "cwm",
      path: stored[0]?.path,
    });
  });

  it("prints the folder, and the file of a model", async () => {
    expect((await run("path")).stdout).toBe(`${store.folder}\n`);
    expect((await run("path", "facebook--cwm-q8")).stdout).toBe(`${stored[1]?.path}\n`);
  });

  it("removes one type, then the others by name", async () => {
    expect((await run("rm", stored[0]?.id ?? "")).code).toBe(0);
    expect((await store.list()).map(({ type }) => type)).toEqual(["q8_0"]);
    const { stdout } = await run("rm", "facebook/cwm", "--json");
    expect(JSON.parse(stdout)).toEqual({ removed: [stored[1]?.id], bytes: 1500 });
    expect(await readdir(store.folder)).toEqual([]);
  });

  it.each(["nothing", "../precious"])("removes nothing for %j, with exit code 66", async (word) => {
    await mkdir(path.join(home, "parley", "cache", "precious"), { recursive: true });
    expect((await run("rm", word)).code).toBe(66);
    expect(await store.list()).toHaveLength(2);
    expect((await readdir(path.join(home, "parley", "cache"))).sort()).toEqual(["models", "precious"]);
  });
});
