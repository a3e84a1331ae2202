import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** Is tmux here to play the terminal? */
export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** How long something may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 40_000;

/** A program in a real terminal: a tmux server of its own. */
export class Terminal {
  #server = `parley-test-${process.pid}-${randomBytes(4).toString("hex")}`;

  /**
   * Sets CI, because a screen must draw for whoever sits at a terminal, whatever CI says, and leaves out NODE_ENV, which
   * a test runner sets and a user does not.
   * @param {string} command a shell command line; it must not end before what it shows has been read
   * @param {{ columns: number, rows: number, env?: Record<string, string> }} options
   */
  constructor(command, { columns, rows, env = {} }) {
    const variables = Object.entries({ CI: "true", PS1: "$ ", TERM: "screen-256color", ...env });
    this.#tmux(
      ...["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows)],
      ...variables.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      command,
    );
  }

  /**
   * Text as if it were typed.
   * @param {string} text
   */
  type(text) {
    this.#tmux("send-keys", "-l", text);
  }

  /** @param {string[]} names as tmux calls keys: Enter, C-c, M-Enter */
  press(...names) {
    this.#tmux("send-keys", ...names);
  }

  /**
   * As a terminal pastes: in brackets where the program has asked for them.
   * @param {string} text
   */
  paste(text) {
    execFileSync("tmux", ["-L", this.#server, "load-buffer", "-"], { input: text });
    this.#tmux("paste-buffer", "-p");
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  resize(columns, rows) {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** What the terminal shows now. */
  screen() {
    return this.#tmux("capture-pane", "-p").trimEnd();
  }

  /** What the terminal shows, with what has scrolled away above it. */
  text() {
    return this.#tmux("capture-pane", "-p", "-S", "-").trimEnd();
  }

  /**
   * Rows from one to another, with the escape codes of their colours. Row 0 is the first on the screen, what has
   * scrolled away counts down from -1.
   * @param {number} first
   * @param {number} last
   */
  rows(first, last) {
    const text = this.#tmux("capture-pane", "-p", "-e", "-S", String(first), "-E", String(last));
    return text.replace(/\n$/, "").split("\n");
  }

  /** Wipes the screen, as a program that writes onto it might. */
  wipe() {
    this.#tmux("send-keys", "-R");
  }

  /** Is the cursor shown? */
  cursorShown() {
    return this.#tmux("display-message", "-p", "#{cursor_flag}").trim() === "1";
  }

  /**
   * Waits until the screen shows something.
   * @param {string | RegExp} expected
   * @returns the screen then
   */
  shows(expected) {
    const holds = (screen) =>
      typeof expected === "string" ? screen.includes(expected) : expected.test(screen);
    return waitFor(() => this.screen(), holds, String(expected));
  }

  /**
   * Waits for something in all that was ever shown, or anywhere else.
   * @param {RegExp | ((text: string) => boolean)} condition
   * @returns the text then
   */
  until(condition, what = String(condition)) {
    const holds = condition instanceof RegExp ? (text) => condition.test(text) : condition;
    return waitFor(() => this.text(), holds, what);
  }

  /**
   * The id of a process that was started in the terminal, at any depth.
   * @param {string} words part of its command line
   */
  processId(words) {
    const processes = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/))
      .flatMap((match) =>
        match ? [{ id: Number(match[1]), parent: Number(match[2]), args: match[3] }] : [],
      );
    const descendants = (id) =>
      processes.filter(({ parent }) => parent === id).flatMap((child) => [child, ...descendants(child.id)]);
    const shell = Number(this.#tmux("display-message", "-p", "#{pane_pid}"));
    const found = descendants(shell).find(({ args }) => args.includes(words));
    if (!found) throw new Error(`nothing in the terminal runs ${words}`);
    return found.id;
  }

  close() {
    spawnSync("tmux", ["-L", this.#server, "kill-server"]);
  }

  /** @param {string[]} args */
  #tmux(...args) {
    return execFileSync("tmux", ["-L", this.#server, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_ENV: undefined },
    });
  }
}

/**
 * @param {() => string} look
 * @param {(text: string) => boolean} holds
 * @param {string} what
 */
async function waitFor(look, holds, what) {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const text = look();
    if (holds(text)) return text;
    if (Date.now() > end) throw new Error(`waited for ${what}, the terminal shows:\n${text}`);
  }
}
