import { spawn } from "node:child_process";
import { repositoryFile } from "./models.js";

export interface ParleyRun {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  env?: Readonly<Record<string, string>>;
  /** nothing of this machine's environment but the path */
  bare?: boolean;
  cwd?: string;
  /** called when the process runs */
  onStart?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
  /** closes the reading end of stdout after so many characters */
  closeStdoutAfter?: number;
  /** called with everything stdout has brought so far; may end the process */
  onStdout?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the command line as a user in a script does: no terminal anywhere. */
export function runParley(args: readonly string[], options: RunOptions = {}): Promise<ParleyRun> {
  const inherited = options.bare
    ? { PATH: process.env.PATH ?? "" }
    : { ...process.env, HF_HUB_OFFLINE: "1", NO_COLOR: "", FORCE_COLOR: "" };
  const child = spawn(process.execPath, [repositoryFile("bin", "run.js"), ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const run: ParleyRun = { code: null, signal: null, stdout: "", stderr: "" };
  const kill = (signal: NodeJS.Signals) => child.kill(signal);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.stdout += text;
    options.onStdout?.(run.stdout, kill);
    if (run.stdout.length > (options.closeStdoutAfter ?? Infinity)) child.stdout.destroy();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.stderr += text;
    options.onStderr?.(run.stderr, kill);
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  void options.onStart?.(kill);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ ...run, code, signal }));
  });
}
