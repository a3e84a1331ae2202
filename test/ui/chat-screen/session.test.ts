import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { seededRandom } from "../../engine/chat/seeded-random.js";
import { hasTmux, Terminal } from "../../helpers/terminal.js";

const PROMPT = />>> /;
const parley = `"${process.execPath}" "${repositoryFile("bin", "run.js")}"`;
const scripted = `"${process.execPath}" "${repositoryFile("test/helpers/scripted-chat.mjs")}"`;

/** Whole sessions in a real terminal. Without tmux they are skipped. */
describe.skipIf(!hasTmux)("the chat screen in a terminal (needs tmux)", () => {
  let folder: string;
  let model: string;
  let env: Record<string, string>;
  let terminal: Terminal;
  beforeAll(async () => {
    folder = await temporaryFolder();
    model = await convertTo(folder, repositoryFile("test/fixtures/cwm-regular"), "f32");
    env = {
      PARLEY_HOME: path.join(folder, "home"),
      PARLEY_ENGINE: await engineFolder(),
      HF_HUB_OFFLINE: "1",
    };
  });
  afterEach(() => terminal.close());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs a command between two looks at the terminal's settings. */
  function run(command: string, size: { columns: number; rows: number } = { columns: 80, rows: 24 }): void {
    terminal = new Terminal({ ...size, env });
    terminal.type(
      `stty -a > ${folder}/before; ${command}; echo "left with $?"; stty -a > ${folder}/after; echo all ov''er`,
    );
    terminal.press("Enter");
  }

  async function left(code: number): Promise<string> {
    const text = await terminal.until(/all over$/m);
    expect(text).toContain(`left with ${code}`);
    expect(readFileSync(path.join(folder, "after"), "utf8")).toBe(
      readFileSync(path.join(folder, "before"), "utf8"),
    );
    expect(terminal.cursorShown()).toBe(true);
    return text;
  }

  function chats(): string[] {
    const home = path.join(folder, "home", "data", "chats");
    return readdirSync(home)
      .sort()
      .map((name) => readFileSync(path.join(home, name), "utf8"));
  }

  it("answers, saves, survives the death of its engine, and goes on later", async () => {
    run(`${parley} chat -m "${model}" -n 40 --no-think --kv-type f32 --temp 0`);
    await terminal.until(PROMPT);
    terminal.type("first question");
    terminal.press("Enter");
    await terminal.until(/first question[\s\S]*tok\/s/);
    expect(chats()[0]).toContain("first question");

    const pid = enginePid();
    process.kill(pid, "SIGKILL");
    await terminal.until(/Enter starts the engine again/);
    terminal.press("Enter");
    await terminal.until(/the engine runs again/);
    terminal.type("second question");
    terminal.press("Enter");
    await terminal.until(() => chats()[0]!.split('"role":"assistant"').length === 3, "a second answer");
    terminal.press("C-d");
    await left(0);
    terminal.close();

    const saved = chats()[0]!;
    expect(saved.match(/"role":"user"/g)?.length).toBe(2);
    expect(saved.match(/"role":"assistant"/g)?.length).toBe(2);
    run(`${parley} chat -m "${model}" --continue`);
    await terminal.until(/first question[\s\S]*second question[\s\S]*>>> /);
    terminal.type("/undo");
    terminal.press("Enter");
    await terminal.until(/2 turns are left/);
    terminal.press("C-c");
    await terminal.until(/Ctrl-C again/);
    terminal.press("C-c");
    await left(0);
    expect(chats()[0]).toContain('{"type":"cut","turns":2}');
  });

  function enginePid(): number {
    const lines = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
    const own = lines.filter(
      (line) => line.includes("engine/host/main.js") && line.includes(repositoryFile("dist")),
    );
    const candidates = own.map((line) => Number(line.trim().split(/\s+/)[0]));
    // other tests have engines too: ours is the child of the process that was given our model
    const ours = candidates.find((pid) => {
      const parent = execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }).trim();
      return execFileSync("ps", ["-o", "args=", "-p", parent], { encoding: "utf8" }).includes(model);
    });
    if (ours === undefined) throw new Error("no engine found");
    return ours;
  }

  it("Ctrl-C at any moment keeps what came and the terminal", async () => {
    const answer = path.join(folder, "long.md");
    await writeFile(answer, "a sentence of some words and then another. ".repeat(2000));
    run(`${scripted} "${answer}" 5 2`);
    await terminal.until(PROMPT);
    const random = seededRandom(5);
    for (let round = 1; round <= 6; round++) {
      terminal.type(`round ${round}`);
      terminal.press("Enter");
      await sleep(random.integer(400));
      const pressed = Date.now();
      terminal.press("C-c");
      await terminal.until(
        (text) =>
          text.includes(`> round ${round}`) &&
          /stopped|message is back/.test(text.split(`> round ${round}`).at(-1)!),
        "the end of the answer",
      );
      expect(Date.now() - pressed).toBeLessThan(10_000);
      terminal.press("C-u");
    }
    terminal.press("C-d");
    await left(0);
  });

  it("takes a paste of any size, shows it folded, and sends all of it", async () => {
    run(`${scripted} "${repositoryFile("test/helpers/answer.md")}"`);
    await terminal.until(PROMPT);
    const paste = Array.from({ length: 3000 }, (_, i) => `line ${i} é 日本 🎉`).join("\n");
    terminal.type("look: ");
    terminal.paste(paste);
    await terminal.until(/look: \[pasted 1: 3000 lines\]/);
    terminal.press("Enter");
    await terminal.until(/The end\./);
    terminal.press("C-d");
    await left(0);
    const turn = chats().at(-1)!.split("\n")[1]!;
    expect((JSON.parse(turn) as { turn: { text: string } }).turn.text).toBe(`look: ${paste}`);
  });

  it("stays whole while the terminal changes its size", async () => {
    run(`${scripted} "${repositoryFile("test/helpers/answer.md")}" 3 4`, { columns: 100, rows: 30 });
    await terminal.until(PROMPT);
    terminal.type("go");
    terminal.press("Enter");
    for (const [columns, rows] of [
      [60, 30],
      [120, 30],
      [90, 20],
      [100, 30],
    ] as const) {
      await sleep(300);
      terminal.resize(columns, rows);
    }
    const text = await terminal.until(/The end\.[\s\S]*>>> /);
    for (const part of [
      "Sorting, briefly",
      "def merge_sort",
      "return list(merge(left",
      "quicksort",
      "two lines long",
    ]) {
      expect(text.split(part).length, part).toBe(2);
    }
    // one input, one status
    expect(text.split("Send a message").length).toBe(2);
    terminal.press("C-d");
    await left(0);
  });

  it.each([
    ["TERM", 143],
    ["HUP", 129],
    ["INT", 130],
  ] as const)("SIG%s restores the terminal", async (signal, code) => {
    run(`${scripted} "${repositoryFile("test/helpers/answer.md")}" 1 20`);
    await terminal.until(PROMPT);
    terminal.type("go");
    terminal.press("Enter");
    await terminal.until(/thinking/);
    const lines = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
    const child = lines.find(
      (line) => line.includes("scripted-chat.mjs") && line.includes(" 1 20") && !line.includes("stty"),
    );
    process.kill(Number(child!.trim().split(/\s+/)[0]), `SIG${signal}`);
    await left(code);
  });
});
