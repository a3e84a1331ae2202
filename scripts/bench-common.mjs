// What the benchmarks share: starting programs, waiting for a calm machine, medians.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const parleyCommand = [process.execPath, path.join(root, "bin", "run.js")];

/** Tasks that may run beside ours before the machine counts as busy; /proc/loadavg counts the reader itself. */
const CALM_TASKS = 1;

/** Waits until nothing else is running, at most `seconds`. Returns without waiting where /proc is missing. */
export async function waitForCalm(seconds = 20) {
  const until = performance.now() + 1000 * seconds;
  let calm = 0;
  while (calm < 3 && performance.now() < until && runningTasks() !== undefined) {
    calm = runningTasks() <= CALM_TASKS ? calm + 1 : 0;
    await sleep(200);
  }
}

function runningTasks() {
  try {
    const [running] = readFileSync("/proc/loadavg", "utf8").split(" ")[3].split("/");
    return Number(running);
  } catch {
    return undefined;
  }
}

/**
 * Runs a program and waits for its end.
 * @returns its standard output, the seconds it took and, where `measureMemory` is set, the largest sum of the
 *   peak resident memory of the process and its descendants in bytes, looked up every 20 ms (Linux only)
 * @throws Error with the end of its standard error when it fails
 */
export async function runProgram([program, ...args], { input, env = {}, measureMemory = false } = {}) {
  const started = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  let peakBytes = 0;
  const look = measureMemory
    ? setInterval(() => (peakBytes = Math.max(peakBytes, treeMemory(child.pid))), 20)
    : undefined;
  const [code, signal] = await once(child, "close");
  clearInterval(look);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${stderr.slice(-2000)}`);
  return { stdout, seconds, peakBytes };
}

/** Sum of the peak resident memory of a process and its living descendants in bytes; shared pages count twice. */
function treeMemory(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    const own = 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    return children.reduce((sum, child) => sum + treeMemory(Number(child)), own);
  } catch {
    return 0;
  }
}

/** Processor seconds of all ended descendants of this process (Linux only; 100 ticks a second, see proc(5)). */
export function descendantsCpuSeconds() {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A result in two lines: the median of each side and their ratio; the ratio of every pair and its median. */
export function describePairs(label, unit, pairs) {
  const [first, second] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])));
  const ratios = pairs.map(([a, b]) => a / b);
  return [
    `${label}: ${first.toFixed(2)} against ${second.toFixed(2)} ${unit}, ratio of medians ${(first / second).toFixed(3)}`,
    `  ${pairs.length} pairs; their ratios ${ratios.map((ratio) => ratio.toFixed(3)).join(" ")}, median ${median(ratios).toFixed(3)}`,
  ].join("\n");
}

/** The load of the last 1, 5 and 15 minutes, for the report. */
export function loadLine() {
  return `load average ${loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}`;
}

/** The same tokens in every run: a linear congruential generator (Numerical Recipes' constants). */
export function pseudoRandomTokens(count, vocabulary) {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabulary);
  });
}
