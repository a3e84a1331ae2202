import type { ChalkInstance } from "chalk";
import type { TraceStep } from "../../engine/client/trace-session.js";
import { lineText } from "../../engine/trace/frame.js";
import { safeLine, type SafeText } from "../safe-text.js";

/** Longest value that is printed whole, in characters. */
const LONGEST_VALUE = 500;

/**
 * A frame as text for people and pipes: event, line number, source; below it the locals that changed, the value, and
 * what is malformed.
 */
export function stepText(step: TraceStep, colours: ChalkInstance): string {
  const { frame, state, confidence } = step;
  const top = state.scopes.at(-1)!;
  const number = String(step.line ?? "?").padStart(4);
  const depth = "  ".repeat(Math.min(20, state.scopes.length - 1));
  const source = safeLine(lineText(frame.source), { maxLength: LONGEST_VALUE });
  const sure = confidence.event === undefined ? "" : colours.dim(`  [${percent(confidence.event)}]`);
  const lines = [`${frame.event.padEnd(9)} ${number}  ${depth}${source}${sure}`];
  const below = (text: string) => lines.push(`${" ".repeat(16)}${depth}${text}`);
  if ("locals" in frame) {
    for (const name of top.changed) below(`${safeLine(name)} = ${safeValue(top.locals.get(name) ?? "")}`);
  } else below(`${frame.event === "return" ? "->" : "!"} ${safeValue(frame.value)}`);
  for (const problem of step.problems) below(colours.yellow(`malformed: ${safeLine(problem)}`));
  return lines.join("\n");
}

export function safeValue(value: string): SafeText {
  return safeLine(value, { maxLength: LONGEST_VALUE });
}

export function percent(probability: number): string {
  const value = 100 * probability;
  return value >= 99.95 ? "100%" : value >= 10 ? `${value.toFixed(0)}%` : `${value.toPrecision(2)}%`;
}
