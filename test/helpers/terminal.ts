import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** Is tmux here to play the terminal? */
export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** How long something may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 40_000;

/** A real terminal: a shell inside a tmux server of its own. */
export class Terminal {
  private readonly socket = `parley-test-${randomBytes(4).toString("hex")}`;

  constructor({
    columns,
    rows,
    env,
    shell = "sh",
  }: {
    columns: number;
    rows: number;
    env: Record<string, string>;
    shell?: string;
  }) {
    const variables = Object.entries({ PS1: "$ ", TERM: "screen-256color", ...env });
    execFileSync("tmux", [
      ...["-L", this.socket, "-f", "/dev/null", "new-session", "-d", "-s", "main"],
      ...["-x", String(columns), "-y", String(rows)],
      ...variables.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      // a screen must draw for whoever sits at a terminal, whatever CI says
      `env -u NODE_ENV CI=true ${shell}`,
    ]);
  }

  private tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.socket, ...args], {
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  type(text: string): void {
    this.tmux("send-keys", "-t", "main", "-l", text);
  }

  /** @param names as tmux calls keys: Enter, C-c, M-Enter */
  press(...names: string[]): void {
    this.tmux("send-keys", "-t", "main", ...names);
  }

  /** As a terminal pastes: in brackets where the program has asked for them. */
  paste(text: string): void {
    execFileSync("tmux", ["-L", this.socket, "load-buffer", "-"], { input: text });
    this.tmux("paste-buffer", "-p", "-t", "main");
  }

  resize(columns: number, rows: number): void {
    this.tmux("resize-window", "-t", "main", "-x", String(columns), "-y", String(rows));
  }

  /** What the screen shows, with what has scrolled away above it. */
  text(): string {
    return this.tmux("capture-pane", "-p", "-S", "-", "-t", "main").trimEnd();
  }

  /** What the screen shows now. */
  screen(): string {
    return this.tmux("capture-pane", "-p", "-t", "main").trimEnd();
  }

  /** Wipes the screen, as a program that writes onto it might. */
  wipe(): void {
    this.tmux("send-keys", "-R", "-t", "main");
  }

  /** Is the cursor shown? */
  cursorShown(): boolean {
    return this.tmux("display-message", "-p", "-t", "main", "#{cursor_flag}").trim() === "1";
  }

  async until(condition: RegExp | ((text: string) => boolean), what = String(condition)): Promise<string> {
    const holds = condition instanceof RegExp ? (text: string) => condition.test(text) : condition;
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(50)) {
      const text = this.text();
      if (holds(text)) return text;
      if (Date.now() > end) throw new Error(`waited for ${what}, the screen shows:\n${text}`);
    }
  }

  close(): void {
    spawnSync("tmux", ["-L", this.socket, "kill-server"]);
  }
}
