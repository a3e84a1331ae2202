import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runPython, type PythonLimits } from "../../../src/engine/trace/run-python.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";
import { asFrame, storedTraces } from "./stored-traces.js";

const LIMITS: PythonLimits = { seconds: 20, memoryBytes: 2 ** 30, frames: 5000 };
const version = spawnSync("python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
  encoding: "utf8",
}).stdout?.trim();
const hasPython = version !== undefined && /^3\.(?:[89]|\d\d)$/.test(version);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (source: string, entry?: string, limits: Partial<PythonLimits> = {}) =>
  runPython(prepareProgram(source, entry), {
    python: "python3",
    folder,
    limits: { ...LIMITS, ...limits },
  });

describe("runPython without Python", () => {
  it("says that there is none", async () => {
    const program = prepareProgram("x = 1");
    const missing = runPython(program, { python: "no-such-python", folder, limits: LIMITS });
    await expect(missing).rejects.toMatchObject({ code: "NO_PYTHON", exit: "notFound" });
    const other = runPython(program, { python: process.execPath, folder, limits: LIMITS });
    await expect(other).rejects.toMatchObject({ code: "PYTHON_FAILED" });
  });
});

describe.skipIf(!hasPython)("runPython", () => {
  it("records what the stored traces hold", async () => {
    const kinds = new Map(storedTraces().map((trace) => [trace.name.replace(/_\d$/, ""), trace]));
    // 3.12 runs comprehensions inside their function; 3.8 and 3.9 count some lines otherwise
    const alike = ["sum_loop", "recursion", "unicode", "caught_exception", "uncaught_exception", "closure"];
    for (const name of alike) {
      const { source, frames, end } = kinds.get(name)!;
      const real = await run(source);
      expect(real.frames, name).toEqual(frames.map(asFrame));
      expect(real.lines, name).toEqual(frames.map(({ line }) => line));
      expect(real.end, name).toBe(end);
    }
  });

  it("calls the entry that was asked for, and nothing under the main guard", async () => {
    const source = 'def f(a):\n    return a * 2\n\nif __name__ == "__main__":\n    raise SystemExit(f(0))\n';
    const real = await run(source, "f('x')");
    expect(real.frames.at(-1)).toMatchObject({ event: "return", value: "'xx'" });
    expect(real.frames).toHaveLength(6);
    await expect(run("def f(a):\n    return a\n", "f")).rejects.toMatchObject({
      code: "PROGRAM_ENTRY_ARGUMENTS",
    });
  });

  it("traces a module, with imports from its folder, the same each time", async () => {
    await writeFile(path.join(folder, "neighbour.py"), "def double(x):\n    return 2 * x\n");
    const source =
      'from neighbour import double\ns = {"b", "a", "c"}\ny = double(len(s))\no = object()\nz = o\n';
    const [first, second] = [await run(source), await run(source)];
    expect(first).toEqual(second);
    const last = first.frames.at(-2)!;
    expect("locals" in last && last.locals.get("o")).toBe("<object object>");
    expect("locals" in last && last.locals.get("y")).toBe("..");
    expect(first.frames.map(({ event }) => event)).toEqual([
      "call",
      "line",
      "line",
      "line",
      "line",
      "line",
      "return",
    ]);
  });

  it("keeps to its limits, and the program's output away", async () => {
    const endless = "def main():\n    n = 0\n    while True:\n        n += 1\n";
    expect(await run(endless, undefined, { frames: 50 })).toMatchObject({ end: "frames" });
    expect((await run(endless, undefined, { frames: 50 })).frames).toHaveLength(50);
    const sleepy = "import time\ndef main():\n    print('x' * 1000)\n    time.sleep(60)\n";
    expect(await run(sleepy, undefined, { seconds: 1 })).toMatchObject({ end: "time" });
    expect((await run("def main():\n    import sys\n    sys.exit(3)\n")).end).toBe("raised");
    const gone = await run("import os\ndef main():\n    os._exit(3)\n");
    expect(gone).toMatchObject({ end: "exit", lines: [2, 3] });
  });

  it.runIf(process.platform === "linux")("stops a program that takes too much memory", async () => {
    const greedy = "def main():\n    b = bytearray(1 << 33)\n    return len(b)\n";
    const real = await run(greedy, undefined, { memoryBytes: 2 ** 28 });
    expect(real.frames.at(-2)).toMatchObject({ event: "exception", value: "MemoryError()" });
  });

  it("finds an entry that has decorators", async () => {
    const source = "import functools\n\n@functools.lru_cache(\n    None)\ndef main():\n    return 7\n";
    const real = await run(source);
    expect(real.lines).toEqual([3, 6, 6]);
    expect(real.frames.at(-1)).toMatchObject({ event: "return", value: "7" });
  });

  it("counts lines as Python does, form feeds or not", async () => {
    const real = await run("x = 1\n\f\ndef main():\n    return 7\n");
    expect(real.frames.at(-1)).toMatchObject({ source: expect.stringMatching(/^ {4}return 7/) as string });
  });

  it("says what is wrong with a program", async () => {
    await expect(run("def main(:\n")).rejects.toMatchObject({ code: "PROGRAM_SYNTAX" });
    await expect(run("def main():\n    return '\0'\n")).rejects.not.toThrow(/None/);
    await expect(run("1 / 0\ndef main():\n    pass\n")).rejects.toMatchObject({
      code: "PROGRAM_PROGRAM",
      message: expect.stringContaining("ZeroDivisionError") as string,
    });
  });

  it("can be stopped", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const stopped = runPython(
      prepareProgram("import time\ntime.sleep(100)\n"),
      { python: "python3", folder, limits: LIMITS },
      controller.signal,
    );
    await expect(stopped).rejects.toThrow();
  });
});
