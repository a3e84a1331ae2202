#!/usr/bin/env node
// Pictures of the screens for docs/: node scripts/make-pictures.mjs [NAME...]
// tmux plays the terminal, a script the model (test/helpers); what the terminal then shows is written as SVG text.
// Needs tmux and a build (npm run build).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Terminal } from "../test/helpers/terminal.mjs";
import { terminalSvg } from "./terminal-svg.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = path.join(root, "docs", "pictures");
const scratch = mkdtempSync(path.join(os.tmpdir(), "parley-pictures-"));
const SIZE = { columns: 92, rows: 30 };

const command = (name, ...args) =>
  [process.execPath, path.join(root, "test", "helpers", name), ...args]
    .map((word) => JSON.stringify(String(word)))
    .join(" ");
/** A chat whose model gives an answer, so many characters at a time, so many milliseconds apart. */
const chat = (characters, ms) =>
  command("scripted-chat.mjs", path.join(root, "test", "helpers", "answer.md"), characters, ms);

/** What runs, what is typed, what the screen must show before the picture is taken, and how far it is scrolled back. */
const PICTURES = {
  "chat-streaming": {
    program: chat(4, 15),
    act: async (terminal) => {
      await ask(terminal, "Explain sorting briefly, with an example in Python.");
      await terminal.shows(/algorithm[\s\S]*merge sort/);
    },
  },
  "chat-thinking": {
    program: chat(1, 60),
    act: async (terminal) => {
      await ask(terminal, "Explain sorting briefly.");
      await terminal.shows(/thinking, 2 s/);
    },
  },
  "chat-thought": {
    program: chat(40, 5),
    act: async (terminal) => {
      await ask(terminal, "Explain sorting briefly.", "C-o");
      await terminal.shows(/The end\./);
    },
    scroll: 22,
  },
  "chat-commands": {
    program: chat(40, 5),
    act: async (terminal) => {
      await ask(terminal, "/help");
      await terminal.shows(/Ctrl-D/);
    },
    scroll: 17,
  },
  trace: {
    program: command("scripted-trace.mjs", path.join(scratch, "trace.json"), "colour"),
    act: async (terminal) => {
      await terminal.shows("call (forced)");
      for (const step of [/=>\s+a = g\(1\)/, "frame 3", "frame 4", "* y = 2"]) {
        terminal.press("s");
        await terminal.shows(step);
      }
    },
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

mkdirSync(folder, { recursive: true });
writeFileSync(path.join(scratch, "trace.json"), JSON.stringify(TRACE));
try {
  const wanted = process.argv.slice(2);
  for (const [name, { program, act, scroll = 0 }] of Object.entries(PICTURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const env = { PARLEY_HOME: path.join(scratch, "home"), TERM: "tmux-256color", LC_ALL: "C.UTF-8" };
    const terminal = new Terminal(`${program}; sleep 1000`, { ...SIZE, env });
    try {
      await act(terminal);
      const svg = terminalSvg(terminal.rows(-scroll, SIZE.rows - 1 - scroll), SIZE);
      writeFileSync(path.join(folder, `${name}.svg`), svg);
    } finally {
      terminal.close();
    }
    process.stdout.write(`${path.join(folder, `${name}.svg`)}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function ask(terminal, text, ...keys) {
  await terminal.shows(/>>> /);
  terminal.type(text);
  terminal.press(...keys, "Enter");
}
