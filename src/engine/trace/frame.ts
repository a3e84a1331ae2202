/** What a frame says has happened; each has a token of its own. */
export const TRACE_EVENTS = ["call", "line", "return", "exception"] as const;
export type TraceEvent = (typeof TRACE_EVENTS)[number];

/** Names and repr() texts, in the order of the scope's variables; ".." means unchanged in this scope. */
export type Locals = ReadonlyMap<string, string>;
export const UNCHANGED = "..";

/** A scope is entered, or a line is about to run. */
export interface ObservedFrame {
  readonly event: "call" | "line";
  /** the line of the program; Python's own traces end it with \n */
  readonly source: string;
  readonly locals: Locals;
}

/** A scope is left with a value, or an exception passes through it. */
export interface ValuedFrame {
  readonly event: "return" | "exception";
  readonly source: string;
  /** repr() of the returned value or of the exception */
  readonly value: string;
}

export type Frame = ObservedFrame | ValuedFrame;

/** The line of a frame without its line end and without the mark of the entry. */
export function lineText(source: string): string {
  return source.replace(/[\r\n]+$/, "").replace(START_MARK, "");
}

/** The comment that marks where a trace begins, with the space before it. */
export const START_MARK = /[ \t]*#[ \t]*<<[ \t]*START_OF_TRACE[ \t]*$/;
