import { UserError } from "../errors.js";
import type { TraceEvent } from "./frame.js";

/** The special tokens of a trace by the names used here; families/cwm calls them by these strings. */
export const TRACE_MARKS = {
  begin: "<|begin_of_text|>",
  end: "<|end_of_text|>",
  context: "<|trace_context_start|>",
  frame: "<|frame_sep|>",
  action: "<|action_sep|>",
  arg: "<|arg_sep|>",
  call: "<|call_sep|>",
  line: "<|line_sep|>",
  return: "<|return_sep|>",
  exception: "<|exception_sep|>",
} as const;

export type TraceMark = keyof typeof TRACE_MARKS;
export type TraceTokens = Readonly<Record<TraceMark, number>>;

/**
 * Ids of the trace tokens, found by their strings.
 * @param idOf the id of a token that is exactly this string, if the vocabulary has one
 * @param model how messages name the model
 * @throws UserError NO_TRACE_TOKENS (exit 65) that lists what is missing
 */
export async function findTraceTokens(
  idOf: (text: string) => Promise<number | undefined>,
  model: string,
): Promise<TraceTokens> {
  const names = Object.keys(TRACE_MARKS) as TraceMark[];
  const ids = await Promise.all(names.map((name) => idOf(TRACE_MARKS[name])));
  const missing = names.filter((_, i) => ids[i] === undefined).map((name) => TRACE_MARKS[name]);
  if (missing.length > 0) {
    throw new UserError(
      "badFile",
      "NO_TRACE_TOKENS",
      `${model} cannot trace programs: its vocabulary has no ${missing.join(", ")}.`,
      "Use a Code World Model (facebook/cwm or one of its siblings).",
    );
  }
  return Object.fromEntries(names.map((name, i) => [name, ids[i]])) as unknown as TraceTokens;
}

/** The event a token stands for. */
export function eventOf(tokens: TraceTokens, id: number): TraceEvent | undefined {
  return (["call", "line", "return", "exception"] as const).find((event) => tokens[event] === id);
}

/** The mark a token stands for. */
export function markOf(tokens: TraceTokens, id: number): TraceMark | undefined {
  return (Object.keys(tokens) as TraceMark[]).find((mark) => tokens[mark] === id);
}
