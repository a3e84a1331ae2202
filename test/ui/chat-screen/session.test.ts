import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../../helpers/models.js";
import { seededRandom } from "../../helpers/seeded-random.js";
import { hasTmux, Terminal } from "../../helpers/terminal.mjs";

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
    terminal = new Terminal("sh", { ...size, env });
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

    process.kill(terminal.processId("engine/host/main.js"), "SIGKILL");
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

  it("suspends with Ctrl-Z, gives the shell its terminal, and comes back with fg", async () => {
    terminal = new Terminal("bash --norc -i", { columns: 80, rows: 24, env });
    terminal.type(`${scripted} "${repositoryFile("test/helpers/answer.md")}" 40 2; echo "left with $?"`);
    terminal.press("Enter");
    await terminal.until(PROMPT);
    terminal.type("before ");
    await terminal.until(/>>> before/);
    terminal.press("C-z");
    await terminal.until(/Stopped/);
    // the shell reads lines, echoes them, and shows its cursor
    terminal.type("stty -a | grep -o '[-]*icanon'");
    terminal.press("Enter");
    await terminal.until(/^icanon$/m);
    expect(terminal.cursorShown()).toBe(true);
    terminal.type("fg");
    terminal.press("Enter");
    await terminal.until((text) => />>> before/.test(text.split("\nicanon").at(-1)!), "the input again");
    terminal.type("after");
    terminal.press("Enter");
    await terminal.until(/> before after[\s\S]*The end\./);
    terminal.press("C-d");
    await terminal.until(/The end\.[\s\S]*[$#]$/);
    terminal.type("stty -a | grep -o '[-]*echo ' | head -1; echo all ov''er");
    terminal.press("Enter");
    expect(await terminal.until(/all over/)).toMatch(/^echo/m);
  });

  it("writes a message in $EDITOR with Ctrl-G, and draws itself again with Ctrl-L", async () => {
    const editor = path.join(folder, "editor.sh");
    await writeFile(
      editor,
      '#!/bin/sh\necho editing\nsed "s/draft/letter/" "$1" > "$1.new"\nprintf "\\nsecond line\\n" >> "$1.new"\nmv "$1.new" "$1"\n',
    );
    await chmod(editor, 0o755);
    run(`EDITOR="${editor}" ${scripted} "${repositoryFile("test/helpers/answer.md")}" 40 2`);
    await terminal.until(PROMPT);
    terminal.type("my draft");
    await terminal.until(/>>> my draft/);
    terminal.press("C-g");
    await terminal.until(/editing[\s\S]*>>> my letter\n\.\.\. second line/);
    terminal.press("Enter");
    await terminal.until(/> my letter\n {2}second line[\s\S]*The end\.[\s\S]*>>> /);
    terminal.wipe();
    await terminal.until(() => !terminal.screen().includes("The end."), "a wiped screen");
    terminal.press("C-l");
    await terminal.until(() => terminal.screen().includes(">>> "), "a new screen");
    // the end of the conversation stays, and there is one input
    expect(terminal.screen()).toContain("The end.");
    expect(terminal.screen().split("Send a message").length).toBe(2);
    terminal.press("C-d");
    await left(0);
  });

  it("speaks the last answer into a file, and Ctrl-C keeps what was spoken", async () => {
    const answer = path.join(folder, "spoken.md");
    await writeFile(answer, "Hello there.\n\n```\ncode\n```\n");
    run(`cd "${folder}"; ${scripted} "${answer}" 40 2`);
    await terminal.until(PROMPT);
    terminal.type("/speak");
    terminal.press("Enter");
    await terminal.until(/There is no answer yet/);
    terminal.type("say it");
    terminal.press("Enter");
    await terminal.until(/Hello there[\s\S]*first 150 ms/);
    terminal.type("/speak one.wav");
    terminal.press("Enter");
    await terminal.until(/one\.wav[\s\S]*RTF/);
    expect(readFileSync(path.join(folder, "one.wav")).toString("latin1")).toMatch(/^RIFF.*AI-generated/s);
    terminal.type("/speak one.wav");
    terminal.press("Enter");
    await terminal.until(/one\.wav already exists/);
    await writeFile(answer, "A sentence of some words, and then another one.\n\n".repeat(300));
    terminal.type("/regen");
    terminal.press("Enter");
    await terminal.until(() => chats().at(-1)!.split('"role":"assistant"').length === 3, "a second answer");
    terminal.type("/speak two.wav");
    terminal.press("Enter");
    await terminal.until(/speaking, part \d+ of 300/);
    terminal.press("C-c");
    await terminal.until(/two\.wav[\s\S]*stopped/);
    expect(readFileSync(path.join(folder, "two.wav")).length).toBeGreaterThan(10_000);
    terminal.press("C-d");
    await left(0);
  });

  it("changes the model, completes names with Tab, and copies through the terminal", async () => {
    run(`env -u DISPLAY -u WAYLAND_DISPLAY ${parley} chat -m "${model}" -n 20 --no-think --temp 0`);
    await terminal.until(PROMPT);
    terminal.type("question");
    terminal.press("Enter");
    await terminal.until(/question[\s\S]*tok\/s/);
    terminal.type("/cop");
    terminal.press("Tab");
    await terminal.until(/>>> \/copy/);
    terminal.press("Enter");
    await terminal.until(/copied \d+ characters by asking the terminal/);
    terminal.type("/model /nowhere.gguf");
    terminal.press("Enter");
    await terminal.until(/there is no file or folder \/nowhere\.gguf/);
    // paths of a length that does not depend on where the repository is: both fit into one row
    for (const name of ["pocket-csm", "pocket-cwm"])
      mkdirSync(path.join(folder, "m", name), { recursive: true });
    terminal.type(`/model ${path.join(folder, "m", "pocket-c")}`);
    terminal.press("Tab");
    await terminal.until(/pocket-csm\/? +\S*pocket-cwm/);
    terminal.press("C-u");
    terminal.type("/model pocket-csm");
    terminal.press("Enter");
    await terminal.until(/is a speech model/);
    terminal.type("/model pocket-cwm");
    terminal.press("Enter");
    await terminal.until(/the model is now/);
    terminal.type("another");
    terminal.press("Enter");
    await terminal.until(() => chats().at(-1)!.split('"role":"assistant"').length === 3, "a second answer");
    terminal.press("C-d");
    await left(0);
  });

  it("works on a terminal of one column", async () => {
    run(`${scripted} "${repositoryFile("test/helpers/answer.md")}" 40 2`, { columns: 80, rows: 24 });
    await terminal.until(PROMPT);
    terminal.resize(1, 24);
    await sleep(500);
    terminal.type("go");
    terminal.press("Enter");
    await terminal.until((text) => text.replaceAll(/\s/g, "").includes("Theend."), "the end of the answer");
    terminal.resize(80, 24);
    await terminal.until(/>>> /);
    terminal.press("C-d");
    await left(0);
  });

  it("tells when another process has written to the same chat, and keeps both", async () => {
    run(`${parley} chat -m "${model}" -n 10 --no-think --temp 0`);
    await terminal.until(PROMPT);
    terminal.type("of the screen");
    terminal.press("Enter");
    await terminal.until(/of the screen[\s\S]*tok\/s/);
    execFileSync(
      process.execPath,
      [repositoryFile("bin/run.js"), "chat", "--continue", "-n", "5", "from elsewhere"],
      {
        env: { ...process.env, ...env },
        stdio: ["ignore", "ignore", "ignore"],
      },
    );
    terminal.type("again of the screen");
    terminal.press("Enter");
    await terminal.until(/another parley has written to this chat/);
    terminal.press("C-d");
    await left(0);
    const texts = chats().slice(-2);
    expect(texts.filter((text) => text.includes("from elsewhere")).length).toBe(1);
    expect(texts.filter((text) => text.includes("again of the screen")).length).toBe(1);
    expect(texts.every((text) => text.includes("of the screen"))).toBe(true);
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
    process.kill(terminal.processId("scripted-chat.mjs"), `SIG${signal}`);
    await left(code);
  });
});
