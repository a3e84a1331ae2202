import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FIRST_FRAMES, line, returns, SOURCE } from "../../engine/trace/marked-frames.js";
import { ENDLESS_TRACE, writeAutomaton } from "../../helpers/automaton.js";
import { convertTo, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { runParley } from "../../helpers/run-parley.js";
import { hasTmux, Terminal } from "../../helpers/terminal.mjs";

/** What the command line of an engine process says. */
const ENGINE = "engine/host/main.js";

const FRAMES = [
  ...FIRST_FRAMES,
  // an escape sequence and a title, as a model may write them into a value
  line('{"a": "..", "b": "\\u001b[2Jgone\\u001b]0;title\\u0007"}', "    return b"),
  returns("    return b", "3"),
];

let folder: string;
let terminal: Terminal | undefined;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterEach(() => {
  terminal?.close();
  terminal = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The command line of a debugger whose model says these frames. */
async function scripted(frames: readonly string[]): Promise<string> {
  const file = path.join(folder, "trace.json");
  await writeFile(file, JSON.stringify({ source: SOURCE, frames }));
  return `'${process.execPath}' '${repositoryFile("test/helpers/scripted-trace.mjs")}' '${file}'`;
}

async function openScripted(frames: readonly string[], columns = 100, rows = 24): Promise<Terminal> {
  terminal = new Terminal(`${await scripted(frames)}; echo ended $?; sleep 1000`, { columns, rows });
  await terminal.shows("call (forced)");
  return terminal;
}

describe.skipIf(!hasTmux)("the debugger in a terminal", () => {
  it("steps, goes back, edits, sets a breakpoint and runs on", async () => {
    const debug = await openScripted(FRAMES);
    debug.press("s");
    await debug.shows(/=>\s+a = g\(1\)/);
    debug.press("s");
    await debug.shows("frame 3");
    await debug.shows("* x = 1");
    debug.press("s");
    await debug.shows("frame 4");
    const inside = await debug.shows(/=>\s+y = x \+ 1/);
    expect(inside).toContain("main:6");
    expect(inside).toContain("g:2");
    expect(inside).toMatch(/->\s+a = g\(1\)/);
    expect(inside).toContain("sure of event 97%");
    expect(inside).toContain("line (forced)");
    debug.press("s");
    await debug.shows("* y = 2");
    debug.press("b");
    await debug.shows("frame 4");
    debug.press("e");
    await debug.shows("edit: x = 1");
    debug.press("C-u");
    debug.type("x = 41");
    debug.press("Enter");
    await debug.shows("* x = 41");
    await debug.shows("line (forced) (edited)");
    debug.press("o");
    const out = await debug.shows(/=>\s+b = g\(a\)/);
    expect(out).toContain("* a = 2");
    debug.press("Down", "Space");
    await debug.shows(/●›8\s+return b/);
    debug.press("a");
    const stopped = await debug.shows(/=>\s+return b/);
    // the value is there, without what it would do to a terminal
    expect(stopped).toContain("gone");
    expect(stopped).toContain("\\x1b");
    debug.press("n");
    await debug.shows("returns 3");
    await debug.shows("the program has ended");
    debug.press("r");
    await debug.shows("frame 1 ");
    debug.press("?");
    await debug.shows("calls are stepped over");
    debug.press("q");
    await debug.shows("left the debugger");
    const left = await debug.shows("ended 0");
    expect(left).not.toContain("locals");
  });

  it("fits any size, down to a few rows", async () => {
    const debug = await openScripted(FRAMES);
    for (const [columns, rows] of [
      [60, 15],
      [20, 6],
      [9, 3],
      [140, 40],
    ] as const) {
      debug.resize(columns, rows);
      await debug.shows(rows < 5 ? /\S/ : "program.py".slice(0, Math.min(10, columns)));
    }
    debug.press("s");
    await debug.shows(/=>\s+a = g\(1\)/);
    debug.press("q");
    await debug.shows("left the debugger");
  });

  it("is suspended with Ctrl-Z, and comes back with fg as it was", async () => {
    const debug = (terminal = new Terminal("bash --norc -i", { columns: 100, rows: 24 }));
    debug.type(await scripted(FRAMES));
    debug.press("Enter");
    await debug.shows("call (forced)");
    debug.press("s");
    await debug.shows(/=>\s+a = g\(1\)/);
    debug.press("C-z");
    expect(await debug.shows("Stopped")).not.toContain("locals");
    debug.type("stty -a | grep -o '[-]*icanon'; fg");
    debug.press("Enter");
    await debug.shows(/=>\s+a = g\(1\)/);
    debug.press("s");
    await debug.shows("frame 3");
    debug.press("q");
    expect(await debug.shows("left the debugger")).toMatch(/^icanon$/m);
  });

  it("stops a prediction with Ctrl-C and keeps the frames", async () => {
    const debug = await openScripted([...FRAMES.slice(0, 2), line("{}", "hang")]);
    debug.press("a");
    await debug.shows("frame 2");
    await debug.shows("Ctrl-C stops");
    debug.press("C-c");
    await debug.shows("stopped");
    await debug.shows("frame 2");
    debug.press("C-c");
    await debug.shows("Ctrl-C again leaves");
    debug.press("C-c");
    await debug.shows("left the debugger");
  });

  it("shows what is malformed and that a limit was hit", async () => {
    const debug = await openScripted([
      FRAMES[0]!,
      "<|line_sep|>{'a': 1}<|action_sep|>elsewhere<|frame_sep|>",
    ]);
    debug.press("s");
    await debug.shows("malformed: column 2");
    await debug.shows("no such line: elsewhere");
  });
});

describe.skipIf(!hasTmux)("the debugger and its engine", () => {
  let program: string;
  let model: string;
  beforeAll(async () => {
    program = path.join(folder, "program.py");
    await writeFile(program, SOURCE);
    // where nothing has compiled the engine yet, this does: the tests wait for a screen, not for a compiler
    const build = await runParley(["engine", "build"]);
    expect(build.code, build.stderr).toBe(0);
    await writeAutomaton(path.join(folder, "endless"), ENDLESS_TRACE);
    model = await convertTo(folder, path.join(folder, "endless"), "f32");
  }, 1_200_000);

  async function openReal(): Promise<Terminal> {
    const parley = `'${process.execPath}' '${repositoryFile("bin", "run.js")}'`;
    terminal = new Terminal(
      `${parley} trace '${program}' -m '${model}' --seed 1; echo ended $?; sleep 1000`,
      { columns: 100, rows: 24 },
    );
    await terminal.shows("frame 1 ");
    return terminal;
  }

  it("says so when the engine is killed, and leaves a clean terminal", async () => {
    const debug = await openReal();
    process.kill(debug.processId(ENGINE), "SIGKILL");
    await debug.shows(/killed\s+by\s+the\s+system/);
    debug.press("s");
    await debug.shows("the engine has died; Enter starts it again, q leaves");
    debug.press("q");
    const left = await debug.shows("ended 70");
    expect(left).not.toContain("locals");
  });

  it("starts a killed engine again and goes on with the frames there were", async () => {
    const debug = await openReal();
    debug.press("s");
    await debug.shows("frame 2 ");
    const first = debug.processId(ENGINE);
    process.kill(first, "SIGKILL");
    await debug.shows(/killed\s+by\s+the\s+system/);
    debug.press("Enter");
    await debug.shows("the engine runs again");
    await debug.shows("frame 2 ");
    expect(debug.processId(ENGINE)).not.toBe(first);
    debug.press("s");
    await debug.shows("frame 3 ");
    debug.press("q");
    await debug.shows("ended 0");
  });
});
