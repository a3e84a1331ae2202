import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  bundledNames,
  formatReference,
  parseModelReference,
} from "../../../src/engine/hub/model-reference.js";
import { temporaryFolder } from "./hub-fixture.js";

let folder: string;
let bundled: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  bundled = path.join(folder, "bundled");
  await mkdir(path.join(bundled, "pocket-cwm"), { recursive: true });
  await mkdir(path.join(folder, "checkpoint"));
  await writeFile(path.join(folder, "checkpoint", "config.json"), "{}");
  await mkdir(path.join(folder, "ggufs"));
  await writeFile(path.join(folder, "ggufs", "a.gguf"), "");
});

const parse = (text: string) => parseModelReference(text, { bundled, variables: { HOME: folder } });

describe("parseModelReference", () => {
  it("finds files and folders", async () => {
    const gguf = path.join(folder, "ggufs", "a.gguf");
    expect(await parse(gguf)).toEqual({ kind: "gguf", path: gguf });
    expect(await parse(path.join(folder, "ggufs"))).toEqual({ kind: "gguf", path: gguf });
    expect(await parse("~/checkpoint")).toEqual({ kind: "folder", path: path.join(folder, "checkpoint") });
    const relative = path.relative(process.cwd(), path.join(folder, "checkpoint"));
    expect(await parse(relative)).toEqual({ kind: "folder", path: path.join(folder, "checkpoint") });
  });

  it("knows bundled models and the Hub", async () => {
    expect(await parse("pocket-cwm")).toEqual({
      kind: "bundled",
      name: "pocket-cwm",
      path: path.join(bundled, "pocket-cwm"),
    });
    expect(await parse("facebook/cwm@dev")).toEqual({ kind: "hub", repo: "facebook/cwm", revision: "dev" });
    expect(await parse("hf://facebook/cwm")).toEqual({ kind: "hub", repo: "facebook/cwm", revision: "main" });
  });

  it("brings at least one model along", async () => {
    const names = await bundledNames();
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect((await parseModelReference(name)).kind).toBe("bundled");
  });

  it.each([
    ["", "MODEL_NOT_FOUND"],
    ["./nope", "MODEL_NOT_FOUND"],
    ["nope.gguf", "MODEL_NOT_FOUND"],
    ["/nope/config.json", "MODEL_NOT_FOUND"],
    ["a/b/c", "MODEL_NOT_FOUND"],
    ["nope", "MODEL_NOT_FOUND"],
    ["../../no/such/file", "MODEL_NOT_FOUND"],
    ["https://example.com/a/b", "MODEL_NOT_FOUND"],
    ["~/bundled", "MODEL_FOLDER"],
    ["~/checkpoint/config.json", "MODEL_FILE"],
  ])("explains why %j is none", async (text, code) => {
    await expect(parse(text)).rejects.toMatchObject({ code });
  });

  it.skipIf(process.getuid?.() === 0)("is denied what it may not read", async () => {
    await mkdir(path.join(folder, "secret", "inner"), { recursive: true });
    await chmod(path.join(folder, "secret"), 0);
    const denied = { code: "FILE_DENIED", exit: "accessDenied" };
    await expect(parse("~/secret")).rejects.toMatchObject(denied);
    await expect(parse("~/secret/inner")).rejects.toMatchObject(denied);
    await chmod(path.join(folder, "secret"), 0o700);
  });

  it("names the bundled models to who misspells one", async () => {
    await expect(parse("tiny-cmw")).rejects.toMatchObject({
      hint: expect.stringContaining("pocket-cwm") as string,
    });
  });

  it("asks which of several GGUF files is meant", async () => {
    await writeFile(path.join(folder, "ggufs", "b.gguf"), "");
    await expect(parse("~/ggufs")).rejects.toMatchObject({ hint: "Name one of its files: a.gguf, b.gguf." });
  });
});

it("writes references so that they mean the same anywhere", () => {
  expect(formatReference({ kind: "hub", repo: "a/b", revision: "main" })).toBe("a/b");
  expect(formatReference({ kind: "hub", repo: "a/b", revision: "v1" })).toBe("a/b@v1");
  expect(formatReference({ kind: "bundled", name: "x", path: "/p/x" })).toBe("x");
  expect(formatReference({ kind: "folder", path: "/p/x" })).toBe("/p/x");
});
