#!/usr/bin/env node
// Pictures of the screens for docs/: node scripts/make-pictures.mjs [NAME...]
// tmux plays the terminal, a script the model (test/helpers); what the terminal then shows is written as SVG text.
// Needs tmux and a build (npm run build).
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { terminalSvg } from "./terminal-svg.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = path.join(root, "docs", "pictures");
const scratch = mkdtempSync(path.join(os.tmpdir(), "parley-pictures-"));
const socket = `parley-pictures-${process.pid}`;
const SIZE = { columns: 92, rows: 30 };
const PATIENCE_MS = 60_000;

const file = (...parts) => JSON.stringify(path.join(root, ...parts));
const chat = (characters, ms) =>
  `${JSON.stringify(process.execPath)} ${file("test/helpers/scripted-chat.mjs")} ${file("test/helpers/answer.md")} ${characters} ${ms}`;

/** What is typed, and what the screen must show before the picture is taken. */
const PICTURES = {
  "chat-streaming": async () => {
    start(chat(4, 15));
    await shows(/>>> /);
    type("Explain sorting briefly, with an example in Python.", "Enter");
    await shows(/algorithm[\s\S]*merge sort/);
  },
  "chat-thinking": async () => {
    start(chat(1, 60));
    await shows(/>>> /);
    type("Explain sorting briefly.", "Enter");
    await shows(/thinking, 2 s/);
  },
  "chat-thought": async () => {
    start(chat(40, 5));
    await shows(/>>> /);
    type("Explain sorting briefly.", "C-o", "Enter");
    await shows(/The end\./);
    scroll = 22;
  },
  "chat-commands": async () => {
    start(chat(40, 5));
    await shows(/>>> /);
    type("/help", "Enter");
    await shows(/Ctrl-D/);
    scroll = 17;
  },
  trace: async () => {
    const trace = path.join(scratch, "trace.json");
    writeFileSync(trace, JSON.stringify(TRACE));
    start(`${JSON.stringify(process.execPath)} ${file("test/helpers/scripted-trace.mjs")} ${trace} colour`);
    await shows("call (forced)");
    for (const step of [/=>\s+a = g\(1\)/, "frame 3", "frame 4", "* y = 2"]) {
      type("", "s");
      await shows(step);
    }
  },
};

const line = (locals, source) => `<|line_sep|>${locals}<|action_sep|>${source}\n<|frame_sep|>`;
const call = (locals, source) => `<|call_sep|>${locals}<|action_sep|>${source}\n<|frame_sep|>`;
const TRACE = {
  source: "def g(x):\n    y = x + 1\n    return y\n\ndef main():\n    a = g(1)\n    b = g(a)\n    return b\n",
  frames: [
    call("{}", "def main():"),
    line("{}", "    a = g(1)"),
    call('{"x": "1"}', "def g(x):"),
    line('{"x": ".."}', "    y = x + 1"),
    line('{"x": "..", "y": "2"}', "    return y"),
  ],
};

let scroll = 0;
mkdirSync(folder, { recursive: true });
try {
  const wanted = process.argv.slice(2);
  for (const [name, act] of Object.entries(PICTURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    scroll = 0;
    await act();
    const from = ["-S", String(-scroll), "-E", String(SIZE.rows - 1 - scroll)];
    const rows = tmux("capture-pane", "-p", "-e", ...from, "-t", "main")
      .replace(/\n$/, "")
      .split("\n");
    writeFileSync(path.join(folder, `${name}.svg`), terminalSvg(rows, SIZE));
    process.stdout.write(`${path.join(folder, `${name}.svg`)}\n`);
    stop();
  }
} finally {
  stop();
  rmSync(scratch, { recursive: true, force: true });
}

function start(command) {
  const home = path.join(scratch, "home");
  tmux(
    ...["-f", "/dev/null", "new-session", "-d", "-s", "main"],
    ...["-x", String(SIZE.columns), "-y", String(SIZE.rows)],
    ...["-e", `PARLEY_HOME=${home}`, "-e", "TERM=tmux-256color", "-e", "LC_ALL=C.UTF-8"],
    `${command}; sleep 1000`,
  );
}

function type(text, ...keys) {
  if (text !== "") tmux("send-keys", "-t", "main", "-l", text);
  for (const key of keys) tmux("send-keys", "-t", "main", key);
}

/** Waits until the terminal shows something. */
async function shows(expected) {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(30)) {
    const text = tmux("capture-pane", "-p", "-t", "main");
    if (typeof expected === "string" ? text.includes(expected) : expected.test(text)) return;
    if (Date.now() > end) throw new Error(`the terminal never showed ${expected}:\n${text}`);
  }
}

function stop() {
  spawnSync("tmux", ["-L", socket, "kill-server"]);
}

function tmux(...args) {
  return execFileSync("tmux", ["-L", socket, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}
