import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENDLESS_TRACE, writeAutomaton } from "../helpers/automaton.js";
import { convertTo, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

const PROGRAM = "def f(x):\n    y = x + 1\n    return y\n\ndef main():\n    return f(1)\n";
const hasPython =
  spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]).status === 0;

let folder: string;
let program: string;
let untrained: string;
let glm: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  program = path.join(folder, "program.py");
  await writeFile(program, PROGRAM);
  untrained = await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "f32");
  glm = await convertTo(folder, repositoryFile("test/fixtures/glm-biases"), "f32");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lines = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("parley trace with an untrained model", () => {
  it("prints JSON lines, the same for the same seed", async () => {
    const args = ["trace", program, "-m", untrained, "--json", "--frame-tokens", "24", "--seed", "3"];
    const [first, second] = [await runParley(args), await runParley(args)];
    expect(first.stderr).toBe("");
    expect(first.stdout).toBe(second.stdout);
    const documents = lines(first.stdout);
    expect(documents[0]).toMatchObject({ frame: 0, event: "call", forced: true });
    expect(documents[0]!.confidence).toMatchObject({ event: expect.any(Number) as number });
    expect(documents.at(-1)).toMatchObject({ frames: documents.length - 1, seed: 3 });
  });

  it("prints text without escape codes, and takes the program from stdin", async () => {
    const run = await runParley(["trace", "-", "-m", untrained, "--frame-tokens", "200", "--seed", "1"], {
      input: PROGRAM,
    });
    expect(run.stdout).toMatch(/^call /);
    expect(run.stdout).toContain("malformed:");

    expect(run.stdout + run.stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(run.stderr).toMatch(/\d+ frames.*seed 1/);
  });

  it("refuses what cannot be traced, each with its code", async () => {
    const cases: [string[], number, string][] = [
      [["trace", program, "-m", glm], 65, "<|trace_context_start|>"],
      [["trace", program, "-m", "pocket-csm"], 65, "speech model"],
      [["trace", path.join(folder, "none.py")], 66, "does not exist"],
      [["trace", program, "--entry", "g"], 2, "it has f, main"],
      [["trace", program, "--temp", "hot"], 2, "--temp"],
      [["trace", program, "-m", untrained, "--ctx-size", "32"], 2, "--ctx-size"],
      [["trace", program, "--check", "--python", "no-such-python"], 66, "--python"],
    ];
    for (const [args, code, words] of cases) {
      const run = await runParley(args);
      expect(run.code, args.join(" ")).toBe(code);
      expect(run.stderr).toContain(words);
      expect(run.stdout).toBe("");
    }
  });

  it.skipIf(!hasPython)("--check executes the program, says so, and counts per field", async () => {
    const marker = path.join(folder, "executed");
    const source = `${PROGRAM}\nopen(${JSON.stringify(marker)}, "a").write("x")\n`;
    await writeFile(path.join(folder, "marked.py"), source);
    const common = [
      "trace",
      path.join(folder, "marked.py"),
      "-m",
      untrained,
      "--frame-tokens",
      "24",
      "--json",
    ];
    await runParley(common);
    await expect(rm(marker)).rejects.toThrow();
    const run = await runParley([...common, "--check"]);
    expect(run.stderr).toContain("--check: executing");
    await rm(marker);
    const documents = lines(run.stdout);
    expect(documents[0]!.agrees).toBe(false);
    const { check } = documents.at(-1) as { check: Record<string, unknown> };
    expect(check).toMatchObject({ python_end: "returned", python_frames: 7, compared: 7, agreeing: 0 });
    expect(check.departure).toMatchObject({ frame: 0 });
    const accuracy = check.accuracy as Record<string, { right: number; total: number }>;
    expect(accuracy.frames).toMatchObject({ right: 0, total: 7 });
    expect(accuracy.value!.total).toBe(2);
  });

  it.skipIf(!hasPython)("--check tells people where the two part", async () => {
    const run = await runParley(["trace", program, "-m", untrained, "--frame-tokens", "24", "--check"]);
    expect(run.stdout).toMatch(/check against Python 3\.\d+\.\d+: 7 frames/);
    expect(run.stdout).toContain("they agree in the first 0 frames and part at frame 0:");
    expect(run.stdout).toMatch(/right: frames 0\/7, event \d\/7/);
  });
});

describe("parley trace with a model that is certain of every token", () => {
  const model = async (name: string, changes: Partial<typeof ENDLESS_TRACE>) => {
    const checkpoint = path.join(folder, name);
    await writeAutomaton(checkpoint, { ...ENDLESS_TRACE, ...changes });
    return convertTo(folder, checkpoint, "f32");
  };
  const trace = (gguf: string, ...flags: string[]) =>
    runParley(["trace", program, "-m", gguf, "--json", "--seed", "1", ...flags]);
  const eventsOf = (stdout: string) =>
    lines(stdout)
      .slice(0, -1)
      .map(({ event }) => event);

  let endless: string;
  beforeAll(async () => {
    endless = await model("endless", {});
  });

  it("ends with 0 after --steps", async () => {
    const run = await trace(endless, "--steps", "4");
    expect(run.stderr).toBe("");
    expect(eventsOf(run.stdout)).toEqual(["call", "line", "line", "line"]);
    expect(lines(run.stdout).at(-1)).toMatchObject({ end: "steps", frames: 4 });
    expect(run.code).toBe(0);
  });

  it("ends with 0 where the model ends the trace", async () => {
    const run = await trace(await model("ending", { "<|frame_sep|>": "<|end_of_text|>" }));
    expect(eventsOf(run.stdout)).toEqual(["call"]);
    expect(lines(run.stdout).at(-1)).toMatchObject({ end: "ended", frames: 1 });
    expect(run.code).toBe(0);
  });

  it("ends with 3 where a limit cuts it off, and names the limit", async () => {
    const frames = await trace(endless, "--max-frames", "3");
    expect(lines(frames.stdout).at(-1)).toMatchObject({ end: "cut", limit: "frames", frames: 3 });
    expect(frames.code).toBe(3);

    const context = await trace(endless, "--ctx-size", "128");
    expect(lines(context.stdout).at(-1)).toMatchObject({ end: "cut", limit: "context" });
    expect(context.code).toBe(3);

    const tokens = await trace(await model("wordy", { x: "x" }), "--frame-tokens", "24");
    expect(lines(tokens.stdout).at(-1)).toMatchObject({ end: "cut", limit: "frame tokens", frames: 1 });
    expect(tokens.code).toBe(3);
  });

  it("ends with 4 where frames are malformed, also after --steps", async () => {
    // locals that are no JSON
    const run = await trace(
      await model("malformed", { "<|call_sep|>": "}", "<|line_sep|>": "}" }),
      "--steps",
      "3",
    );
    const documents = lines(run.stdout);
    expect(documents).toHaveLength(4);
    for (const document of documents.slice(0, 3)) expect(document.problems).toHaveLength(1);
    expect(documents.at(-1)).toMatchObject({ end: "steps", frames: 3 });
    expect(run.code).toBe(4);
  });

  it.each(["--json", "--plain"])("ends by Ctrl-C with 130 and whole lines (%s)", async (flag) => {
    const run = await runParley(["trace", program, "-m", endless, flag, "--seed", "1"], {
      onStdout: (text, kill) => {
        if (text.includes("\n")) kill("SIGINT");
      },
    });
    expect(run.code).toBe(130);
    expect(run.signal).toBeNull();
    expect(run.stdout).toMatch(/\n$/);
    expect(run.stdout).not.toMatch(/"end":"(cut|ended)"/);
  });
});
