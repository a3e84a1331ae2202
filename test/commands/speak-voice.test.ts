import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder, repositoryFile } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with a clip in it, and voices of its own. */
async function newPlace() {
  const folder = await mkdtemp(path.join(root, "case-"));
  const env = { XDG_DATA_HOME: path.join(folder, "data") };
  const run = (...args: string[]) => runParley(["speak", ...args], { cwd: folder, env });
  const voices = path.join(folder, "data", "parley", "voices");
  await run("one two three", "--greedy", "-o", "clip.wav");
  return { folder, run, voices };
}

const ADD = ["--text", "one two three", "--audio", "clip.wav"];

describe("parley speak voice", () => {
  it("keeps a voice that speaks as the turn would that it was made from", async () => {
    const { folder, run } = await newPlace();
    const added = await run("voice", "add", "anna", ...ADD, "--speaker", "1", "--json");
    expect(JSON.parse(added.stdout)).toMatchObject({ name: "anna", frames: expect.any(Number) as number });
    await run("four five", "--voice", "anna", "--greedy", "-o", "voice.wav");
    await run(
      "four five",
      "--speaker",
      "1",
      "--turn",
      "1:one two three=clip.wav",
      "--greedy",
      "-o",
      "turn.wav",
    );
    await run("four five", "--speaker", "1", "--greedy", "-o", "bare.wav");
    const bytes = (file: string) => readFile(path.join(folder, file));
    expect((await bytes("voice.wav")).equals(await bytes("turn.wav"))).toBe(true);
    expect((await bytes("voice.wav")).equals(await bytes("bare.wav"))).toBe(false);
  });

  it("lists and removes", async () => {
    const { run, voices } = await newPlace();
    await run("voice", "add", "anna", ...ADD);
    await run("voice", "add", "Bertólt.2", ...ADD);
    const listed = JSON.parse((await run("voice", "list", "--json")).stdout) as { voices: object[] };
    expect(listed.voices).toMatchObject([
      { name: "Bertólt.2", speaker: 0, text: "one two three", codebooks: expect.any(Number) as number },
      { name: "anna" },
    ]);
    expect((await run("voice", "list")).stdout).toMatch(/NAME +SPEAKER.*\nBertólt\.2 +0 /);
    // all or none
    expect((await run("voice", "rm", "anna", "carl")).code).toBe(66);
    expect((await run("voice", "rm", "anna")).code).toBe(0);
    expect(await readdir(voices)).toEqual(["Bertólt.2.json"]);
  });

  it("refuses a name twice, unless forced", async () => {
    const { run } = await newPlace();
    await run("voice", "add", "anna", ...ADD);
    expect((await run("voice", "add", "anna", ...ADD)).code).toBe(73);
    expect((await run("voice", "add", "anna", ...ADD, "--force")).code).toBe(0);
  });

  it.each(["../anna", "a/b", ".hidden", "", "a\u001b[31m", "x".repeat(65)])(
    "refuses the name %j",
    async (name) => {
      const { run, voices } = await newPlace();
      const added = await run("voice", "add", name, ...ADD);
      expect(added.code).toBe(2);
      expect(added.stderr).not.toContain("\u001b");
      expect((await run("hello", "--voice", name)).code).toBe(2);
      await expect(readdir(voices)).rejects.toThrow();
    },
  );

  it("refuses a voice of another codec, a broken one and one that is not there", async () => {
    const { run, voices } = await newPlace();
    await run("voice", "add", "anna", ...ADD);
    const other = await run("hello", "--voice", "anna", "-m", repositoryFile("test/fixtures/csm-six"));
    expect([other.code, other.stderr]).toEqual([65, expect.stringContaining("another codec")]);
    await writeFile(
      path.join(voices, "broken.json"),
      '{"format":1,"speaker":0,"codebooks":4,"codes":[1,2,3]}',
    );
    const broken = await run("hello", "--voice", "broken");
    expect([broken.code, broken.stderr]).toEqual([65, expect.stringContaining("broken.json")]);
    expect((await run("voice", "list")).stderr).toMatch(/warning: .*broken\.json/);
    const good = JSON.parse(await readFile(path.join(voices, "anna.json"), "utf8")) as object;
    const change = (values: object) =>
      writeFile(path.join(voices, "broken.json"), JSON.stringify({ ...good, ...values }));
    for (const values of [
      { speaker: 10_000 },
      { text: "  " },
      { created: "\u001b[31mred" },
      { seconds: -1 },
      { codes: [2 ** 31] },
      { codes: Array<number>(64).fill(1_000_000) },
    ]) {
      await change(values);
      const { code, stderr } = await run("hello", "--voice", "broken");
      expect([code, stderr.includes("\u001b"), stderr.includes("add it again")], stderr).toEqual([
        65,
        false,
        true,
      ]);
    }
    const missing = await run("hello", "--voice", "carl");
    expect([missing.code, missing.stderr]).toEqual([66, expect.stringContaining("There are: anna, broken.")]);
  });
});
