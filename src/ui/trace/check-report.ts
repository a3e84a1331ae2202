import type { TraceStep } from "../../engine/client/trace-session.js";
import { compareTraces, type Count, type TraceComparison } from "../../engine/trace/compare-traces.js";
import { lineText } from "../../engine/trace/frame.js";
import type { PythonTrace } from "../../engine/trace/run-python.js";
import { safeLine } from "../safe-text.js";
import { safeValue } from "./step-text.js";

/** Compares what was predicted with what happened. Where one side was cut off by a limit, only as far as it goes. */
export function checkSteps(
  steps: readonly TraceStep[],
  real: PythonTrace,
  /** the user asked for this many frames */
  asked: number | undefined,
): TraceComparison {
  const isWhole = ["returned", "raised", "exit"].includes(real.end);
  const most = Math.min(asked ?? Infinity, isWhole ? Infinity : real.frames.length);
  return compareTraces(
    steps.map(({ frame }) => frame),
    real.frames,
    most,
  );
}

/** `check` of the last line of `--json`. */
export function checkDocument(comparison: TraceComparison, real: PythonTrace) {
  const { accuracy, agreeing, compared, departure } = comparison;
  return {
    python: real.python,
    python_end: real.end,
    python_frames: real.frames.length,
    compared,
    agreeing,
    departure: departure ?? null,
    accuracy: Object.fromEntries(
      Object.entries(accuracy as unknown as Record<string, Count>).map(([field, { right, total }]) => [
        field,
        { right, total, share: total === 0 ? null : Number((right / total).toFixed(4)) },
      ]),
    ),
  };
}

/** The report for people. */
export function checkText(
  { accuracy, agreeing, compared, departure }: TraceComparison,
  real: PythonTrace,
): string {
  const ends: Partial<Record<PythonTrace["end"], string>> = {
    frames: "; Python was stopped at the limit of frames",
    time: "; Python was stopped at the time limit",
    memory: "; Python was stopped at the memory limit",
    not_called: "; Python never called the entry",
  };
  const lines = [`check against Python ${real.python}: ${compared} frames${ends[real.end] ?? ""}`];
  if (!departure) lines.push("prediction and reality agree in every frame");
  else {
    lines.push(`they agree in the first ${agreeing} frames and part at frame ${departure.frame}:`);
    const frame = real.frames[departure.frame];
    if (frame)
      lines.push(`  line ${real.lines[departure.frame] ?? "?"}: ${safeLine(lineText(frame.source))}`);
    if (!("predicted" in departure)) {
      const missing = "  the prediction has no such frame";
      lines.push(departure.field === "missing" ? missing : "  Python had ended, the prediction goes on");
    } else {
      const what = departure.field === "locals" ? safeLine(departure.name) : departure.field;
      lines.push(`  ${what}: predicted ${shown(departure.predicted)}`);
      lines.push(`  ${" ".repeat(what.length)}  Python had ${shown(departure.actual)}`);
    }
  }
  const shares = Object.entries(accuracy as unknown as Record<string, Count>)
    .filter(([, { total }]) => total > 0)
    .map(([field, { right, total }]) => `${field} ${right}/${total}`);
  return [...lines, `right: ${shares.join(", ")}`].join("\n");
}

function shown(value: string | undefined): string {
  if (value === undefined) return "nothing";
  return value === "" ? "an empty text" : safeValue(value);
}
