import type { TraceSession, TraceStep } from "../../engine/client/trace-session.js";
import { type Frame, lineText } from "../../engine/trace/frame.js";

/** A line of `--json`: one frame. */
export interface StepDocument {
  /** counted from 0 */
  frame: number;
  event: Frame["event"];
  /** of the program, counted from 1; null when it has no such line */
  line: number | null;
  source: string;
  /** 0 for the entry */
  depth: number;
  scope: string;
  /** of calls and lines, with ".." resolved */
  locals?: Record<string, string>;
  /** names whose value is new or another than before */
  changed?: string[];
  /** of calls and lines, as the model wrote them */
  written?: Record<string, string>;
  /** of returns and exceptions */
  value?: string;
  /** probabilities; null where nothing was predicted */
  confidence: { event: number | null; values: number | null; source: number | null };
  /** the event was not the model's choice */
  forced: boolean;
  tokens: number;
  /** what is not as the grammar has it */
  problems: string[];
}

export function stepDocument(step: TraceStep, index: number): StepDocument {
  const { frame, state, confidence } = step;
  const top = state.scopes.at(-1)!;
  return {
    frame: index,
    event: frame.event,
    line: step.line ?? null,
    source: lineText(frame.source),
    depth: state.scopes.length - 1,
    scope: top.name,
    ...("locals" in frame
      ? {
          locals: asRecord(top.locals),
          changed: [...top.changed],
          written: asRecord(frame.locals),
        }
      : { value: frame.value }),
    confidence: {
      event: rounded(confidence.event),
      values: rounded(confidence.values),
      source: rounded(confidence.source),
    },
    forced: step.forced,
    tokens: step.ids.length,
    problems: [...step.problems],
  };
}

/** How a run without a screen came to its end. */
export type RunEnd = { end: "ended" } | { end: "steps" } | { end: "cut"; limit: string };

/** The last line of `--json`. */
export function endDocument(session: TraceSession, run: RunEnd, seed: number) {
  return {
    ...run,
    frames: session.steps.length,
    malformed: session.steps.filter(({ problems }) => problems.length > 0).length,
    tokens: session.usedTokens,
    context: session.options.contextSize,
    seed,
  };
}

/** Own properties only, "__proto__" too. */
function asRecord(entries: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(entries);
}

/** Four significant digits say all there is to say. */
function rounded(probability: number | undefined): number | null {
  return probability === undefined ? null : Number(probability.toPrecision(4));
}
