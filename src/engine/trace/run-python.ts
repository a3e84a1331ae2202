import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { UserError } from "../errors.js";
import { packageRoot } from "../system/package-root.js";
import type { Frame } from "./frame.js";
import type { TraceProgram } from "./trace-program.js";

export interface PythonLimits {
  /** wall-clock time of the program */
  seconds: number;
  /** address space of the process, where the system knows such a limit */
  memoryBytes: number;
  frames: number;
}

export interface PythonTrace {
  readonly frames: readonly Frame[];
  /** line of each frame, counted from 1 */
  readonly lines: readonly number[];
  /** "returned", "raised" and "exit" are ends of the program, the others limits */
  readonly end: "returned" | "raised" | "exit" | "frames" | "time" | "memory" | "not_called";
  /** e.g. "3.11.7" */
  readonly python: string;
}

type RecordedLine =
  | {
      event: Frame["event"];
      line: number;
      source: string;
      locals?: Record<string, string>;
      value?: string;
    }
  | { end: PythonTrace["end"] | "error"; python: string; code?: string; message?: string };

/** Time beyond the program's own for starting and ending Python, in milliseconds. */
const GRACE_MS = 5000;

/**
 * Executes a program under the tracer in python/trace_program.py, in a process of its own.
 * @param python  name or path of the interpreter, 3.8 or later
 * @param folder  where the program's own imports are looked for; also its working folder
 * @throws UserError NO_PYTHON (exit 66), PYTHON_FAILED, PROGRAM_* (exit 65), AbortError
 */
export async function runPython(
  program: TraceProgram,
  { python, folder, limits }: { python: string; folder: string; limits: PythonLimits },
  signal?: AbortSignal,
): Promise<PythonTrace> {
  signal?.throwIfAborted();
  const { entry } = program;
  const child = spawn(
    python,
    [
      "-B",
      path.join(packageRoot(), "python", "trace_program.py"),
      ...(entry.kind === "function" ? ["--entry", entry.name, "--line", String(entry.line)] : []),
      ...(program.hasOwnEntry ? ["--skip-main-guard"] : []),
      ...["--folder", folder, "--seconds", String(limits.seconds)],
      ...["--memory", String(limits.memoryBytes), "--frames", String(limits.frames), "-"],
    ],
    {
      cwd: folder,
      env: { ...process.env, PYTHONHASHSEED: "0", PYTHONIOENCODING: "utf-8" },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let isLate = false;
  const kill = () => child.kill("SIGKILL");
  const timer = setTimeout(
    () => {
      isLate = true;
      kill();
    },
    1000 * limits.seconds + GRACE_MS,
  );
  signal?.addEventListener("abort", kill, { once: true });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-2000)));
  child.stdin.on("error", () => undefined);
  child.stdin.end(program.source);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => reject(noPython(python, error)));
    child.once("close", (code) => resolve(code));
  });
  closed.catch(() => undefined);
  const frames: Frame[] = [];
  const lines: number[] = [];
  let last: Extract<RecordedLine, { end: unknown }> | undefined;
  try {
    for await (const text of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
      const record = parseRecord(text);
      if (record === undefined) continue;
      if ("end" in record) last = record;
      else {
        frames.push(asFrame(record));
        lines.push(record.line);
      }
    }
    await closed;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
  signal?.throwIfAborted();
  if (last?.end === "error") throw programError(last);
  // the process has ended without a word: what it did until then stands
  if (last === undefined && frames.length > 0) {
    return { frames, lines, end: isLate ? "time" : "exit", python: "?" };
  }
  if (last === undefined) {
    const words = errors.trim().split("\n").at(-1) ?? "";
    throw new UserError(
      "badFile",
      "PYTHON_FAILED",
      `${python} did not trace the program${words === "" ? "." : `: ${words}`}`,
      "parley needs Python 3.8 or later; name another one with --python.",
    );
  }
  return { frames, lines, end: last.end as PythonTrace["end"], python: last.python };
}

/** A line that was cut off when the process was killed is not there. */
function parseRecord(text: string): RecordedLine | undefined {
  try {
    return JSON.parse(text) as RecordedLine;
  } catch {
    return undefined;
  }
}

function asFrame({ event, source, locals, value }: Exclude<RecordedLine, { end: unknown }>): Frame {
  return event === "call" || event === "line"
    ? { event, source, locals: new Map(Object.entries(locals ?? {})) }
    : { event, source, value: value ?? "" };
}

function noPython(python: string, error: NodeJS.ErrnoException): UserError {
  const reason = error.code === "ENOENT" ? "was not found" : `could not be started (${error.message})`;
  return new UserError(
    "notFound",
    "NO_PYTHON",
    `--check runs the program with ${python}, which ${reason}.`,
    "Install Python 3.8 or later, or name one with --python PATH.",
    { cause: error },
  );
}

function programError({ code = "", message = "" }: { code?: string; message?: string }): UserError {
  const hint =
    code === "ENTRY_ARGUMENTS" || code === "NO_SUCH_FUNCTION"
      ? 'Say how it is called: --entry "f(1, 2)".'
      : "Run the program by itself first.";
  return new UserError("badFile", `PROGRAM_${code}`, `The program cannot be traced: ${message}.`, hint);
}
