import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** How long a screen may take to show what is expected of it, in milliseconds; the machine may be busy. */
const PATIENCE_MS = 30_000;

/** A program in a terminal of its own, on a tmux server of its own. */
export class Terminal {
  private readonly server = `parley-test-${process.pid}-${randomBytes(4).toString("hex")}`;

  /**
   * Sets CI, because a screen must draw for whoever sits at a terminal, whatever CI says.
   * @param command a shell command line; it must not end before what it shows has been read
   */
  constructor(command: string, { columns, rows }: { columns: number; rows: number }) {
    const size = ["-x", String(columns), "-y", String(rows)];
    this.tmux("-f", "/dev/null", "new-session", "-d", "-e", "CI=true", ...size, command);
  }

  /** What the terminal shows, without spaces at the ends of lines. */
  screen(): string {
    return this.tmux("capture-pane", "-p");
  }

  /** Keys by tmux's names. */
  press(...keys: string[]): void {
    this.tmux("send-keys", ...keys);
  }

  /** Text as if it were typed. */
  type(text: string): void {
    this.tmux("send-keys", "-l", text);
  }

  resize(columns: number, rows: number): void {
    this.tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until the terminal shows something. @returns the screen then */
  async shows(expected: string | RegExp): Promise<string> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const screen = this.screen();
      if (typeof expected === "string" ? screen.includes(expected) : expected.test(screen)) return screen;
      if (performance.now() > until)
        throw new Error(`the terminal never showed ${String(expected)}:\n${screen}`);
      await sleep(50);
    }
  }

  /** Processes started by the program in the terminal, at any depth (Linux). */
  descendants(): number[] {
    const childrenOf = (pid: number): number[] => {
      const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
      return text
        .split(" ")
        .filter(Boolean)
        .map(Number)
        .flatMap((child) => [child, ...childrenOf(child)]);
    };
    return childrenOf(Number(this.tmux("display-message", "-p", "#{pane_pid}")));
  }

  close(): void {
    spawnSync("tmux", ["-L", this.server, "kill-server"]);
  }

  private tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.server, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}
