import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/engine/formats/npy.js";
import { repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley, type RunOptions } from "../helpers/run-parley.js";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Document {
  files: { path: string; seconds: number; frames: number; seed: number; stopped: string }[];
}

const newFolder = () => mkdtemp(path.join(root, "case-"));
const speak = (cwd: string, args: string[], options: RunOptions = {}) =>
  runParley(["speak", ...args], { cwd, ...options });

async function document(cwd: string, args: string[]): Promise<{ document: Document; stderr: string }> {
  const run = await speak(cwd, [...args, "--json"]);
  expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/RTF/)]);
  return { document: JSON.parse(run.stdout) as Document, stderr: run.stderr };
}

const bytes = (folder: string, file: string) => readFile(path.join(folder, file));

/** Longer than what is said at once. */
const long = "One two three. Four five six. Seven eight nine. ".repeat(5).trim();

describe("parley speak with a long text", () => {
  it("says it part by part, all of it", async () => {
    const folder = await newFolder();
    const split = await document(folder, [long, "--greedy", "-o", "split.wav", "--codes", "split.npy"]);
    const whole = await document(folder, [long, "--greedy", "--no-split", "-o", "whole.wav"]);
    expect(split.document.files[0]).toMatchObject({ stopped: "eos" });
    // one utterance ends at ten seconds or before; forty-five words take longer
    expect(whole.document.files[0]!.seconds).toBeLessThan(10.1);
    expect(split.document.files[0]!.seconds).toBeGreaterThan(whole.document.files[0]!.seconds * 1.3);
    const { shape } = await readNpy(path.join(folder, "split.npy"));
    expect(shape[0]).toBe(split.document.files[0]!.frames);
    // the frames that end parts are left out, but for the last
    expect(shape[0]! * 0.08 - split.document.files[0]!.seconds).toBeLessThan(0.09);
  });

  it("ends the whole at --max-seconds", async () => {
    const folder = await newFolder();
    const { document: cut, stderr } = await document(folder, [long, "--greedy", "--max-seconds", "4"]);
    expect(cut.files[0]).toMatchObject({ stopped: "cap" });
    expect(cut.files[0]!.seconds).toBeLessThanOrEqual(4);
    expect(cut.files[0]!.seconds).toBeGreaterThan(3.5);
    expect(stderr).toMatch(/speech\.wav was cut at/);
  });

  it("speaks a batch of more files than may be open at once", async () => {
    const folder = await newFolder();
    const lines = Array.from({ length: 300 }, () => "one").join("\n");
    const script = `ulimit -n 256; exec ${process.execPath} ${repositoryFile("bin/run.js")} speak --batch --greedy --max-seconds 0.2 -o m.wav --json`;
    const run = spawnSync("sh", ["-c", script], { cwd: folder, input: lines, encoding: "utf8" });
    expect([run.status, (JSON.parse(run.stdout) as Document).files.length]).toEqual([0, 300]);
  });

  it("gives a line of a batch what it gives it alone", async () => {
    const folder = await newFolder();
    const args = ["--seed", "5", "--codes"];
    await speak(folder, ["--batch", ...args, "b.npy", "-o", "b.wav"], { input: `one\n${long}\ntwo three\n` });
    await speak(folder, [long, ...args, "l.npy", "-o", "l.wav"]);
    await speak(folder, ["two three", ...args, "t.npy", "-o", "t.wav"]);
    expect((await bytes(folder, "b-2.wav")).equals(await bytes(folder, "l.wav"))).toBe(true);
    expect((await bytes(folder, "b-2.npy")).equals(await bytes(folder, "l.npy"))).toBe(true);
    expect((await bytes(folder, "b-3.wav")).equals(await bytes(folder, "t.wav"))).toBe(true);
  });
});

describe("parley speak --script", () => {
  const dialogue = "0: one two\n1: three four\n0: five\n";

  it("speaks a dialogue into one file, each turn behind those before it", async () => {
    const folder = await newFolder();
    await writeFile(path.join(folder, "d.txt"), dialogue);
    const { document: all } = await document(folder, ["--script", "d.txt", "--greedy", "-o", "d.wav"]);
    await document(folder, ["one two", "--greedy", "-o", "one.wav"]);
    const [whole, first] = [await bytes(folder, "d.wav"), await bytes(folder, "one.wav")];
    expect(all.files).toHaveLength(1);
    const data = (file: Buffer) => file.subarray(file.indexOf("data") + 8);
    expect(data(whole).subarray(0, data(first).length).equals(data(first))).toBe(true);
    expect(data(whole).length).toBeGreaterThan(2 * data(first).length);
  });

  it("speaks every turn alone with --batch, as its speaker", async () => {
    const folder = await newFolder();
    await writeFile(
      path.join(folder, "d.json"),
      '[{"speaker":0,"text":"one two"},{"speaker":1,"text":"three"}]',
    );
    await document(folder, ["--script", "d.json", "--batch", "--greedy", "-o", "d.wav"]);
    await document(folder, ["three", "--speaker", "1", "--greedy", "-o", "three.wav"]);
    expect((await bytes(folder, "d-2.wav")).equals(await bytes(folder, "three.wav"))).toBe(true);
  });

  it("tells which part was cut, and that the file is not whole", async () => {
    const folder = await newFolder();
    await writeFile(path.join(folder, "d.txt"), dialogue);
    const model = ["-m", repositoryFile("test/fixtures/csm-six")];
    const { document: cut, stderr } = await document(folder, [...model, "--script", "d.txt", "--greedy"]);
    expect(stderr).toMatch(/warning: speech\.wav: part \d of 3, "[a-z ]+", was cut at \d+\.\d s/);
    expect(stderr).not.toContain("--max-seconds changes it");
    expect(cut.files[0]).toMatchObject({ stopped: "cap" });
  });

  it("refuses a text beside it", async () => {
    const folder = await newFolder();
    await writeFile(path.join(folder, "d.txt"), dialogue);
    const run = await speak(folder, ["hello", "--script", "d.txt"]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining("Leave one of them out")]);
  });
});

describe("parley speak --retries", () => {
  // hot enough to talk until it is cut
  const hot = [
    "one two",
    "--temp",
    "3",
    "--depth-temp",
    "3",
    "--top-k",
    "0",
    "--max-seconds",
    "1",
    "--seed",
    "1",
  ];

  it("speaks again with the next seed what came to no end", async () => {
    const folder = await newFolder();
    const { document: once } = await document(folder, [...hot, "-o", "once.wav"]);
    expect(once.files[0]).toMatchObject({ stopped: "cap", seed: 1 });
    const { document: again, stderr } = await document(folder, [...hot, "--retries", "2", "-o", "again.wav"]);
    expect(again.files[0]!.seed).toBeGreaterThan(1);
    expect(stderr).toMatch(/came to no end or no sound: again, with seed 2/);
    expect((await readdir(folder)).sort()).toEqual(["again.wav", "once.wav"]);
  });

  it("leaves alone what is good", async () => {
    const folder = await newFolder();
    const args = ["one two", "--seed", "3", "--temp", "0.1"];
    await document(folder, [...args, "-o", "a.wav"]);
    const { document: kept } = await document(folder, [...args, "--retries", "3", "-o", "b.wav"]);
    expect(kept.files[0]).toMatchObject({ seed: 3, stopped: "eos" });
    expect((await bytes(folder, "a.wav")).equals(await bytes(folder, "b.wav"))).toBe(true);
  });

  it.each([
    ["--stream", "--retries", "1"],
    ["-o", "-", "--retries", "1"],
    ["--greedy", "--retries", "1"],
    ["-o", "a.wav", "--codes", "./a.wav"],
    ["--play", "-o", "-"],
    ["--play", "--format", "s16le"],
  ])("refuses %s %s %s", async (...flags) => {
    const run = await speak(await newFolder(), ["hello", ...flags]);
    expect(run.code).toBe(2);
  });
});

describe("parley speak --play", () => {
  /** A player that notes what it was given. */
  async function player(folder: string): Promise<Record<string, string>> {
    const script = '#!/bin/sh\nfor last; do :; done\ncp "$last" "$PLAYED"\n';
    await writeFile(path.join(folder, "aplay"), script, { mode: 0o755 });
    return { PATH: `${folder}:${process.env.PATH}`, PLAYED: path.join(folder, "played.wav") };
  }

  it("plays what was spoken and keeps nothing without -o", async () => {
    const folder = await newFolder();
    const [tools, work] = [path.join(folder, "tools"), path.join(folder, "work")];
    for (const name of [tools, work]) await mkdir(name);
    const env = await player(tools);
    const run = await speak(work, ["one two", "--greedy", "--play"], { env });
    expect([run.code, run.stdout]).toEqual([0, ""]);
    expect(await readdir(work)).toEqual([]);
    await speak(work, ["one two", "--greedy", "--play", "-o", "kept.wav"], { env });
    expect((await bytes(work, "kept.wav")).equals(await bytes(tools, "played.wav"))).toBe(true);
  });
});
