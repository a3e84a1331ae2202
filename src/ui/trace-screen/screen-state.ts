/** A line of text that is being typed, and what it is for. */
export interface TypedLine {
  readonly purpose: "edit";
  readonly text: string;
  /** UTF-16 offset */
  readonly at: number;
}

/** What the debugger shows beside the trace itself. */
export interface TraceScreenState {
  readonly columns: number;
  readonly rows: number;
  readonly phase: "idle" | "working" | "dead" | "restarting" | "left";
  /** what is going on while working or restarting */
  readonly activity: string | undefined;
  /** names of the keys that wait for it */
  readonly waiting: readonly string[];
  /** one message, until the next key */
  readonly notice: { readonly text: string; readonly tone: "info" | "warning" | "error" } | undefined;
  readonly typed: TypedLine | undefined;
  /** lines counted from 1 */
  readonly breakpoints: ReadonlySet<number>;
  /** the line that breakpoints and "run to" are about */
  readonly cursor: number;
  readonly showsHelp: boolean;
  /** is the terminal lent to somebody else? */
  readonly hidden: boolean;
  /** counts up whenever the trace has changed */
  readonly version: number;
}

export type TraceScreenAction =
  | { type: "resize"; columns: number; rows: number }
  | { type: "phase"; phase: TraceScreenState["phase"]; activity?: string }
  | { type: "waiting"; keys: readonly string[] }
  | { type: "notice"; notice: TraceScreenState["notice"] }
  | { type: "typed"; typed: TypedLine | undefined }
  | { type: "cursor"; line: number; lines: number }
  | { type: "breakpoint" }
  | { type: "help" }
  | { type: "hide"; hidden: boolean }
  /** the trace has changed; the cursor follows the current line */
  | { type: "stepped"; line: number | undefined };

/** @param cursor line the trace begins with */
export function initialState(columns: number, rows: number, cursor: number): TraceScreenState {
  return {
    columns,
    rows,
    phase: "idle",
    activity: undefined,
    waiting: [],
    notice: undefined,
    typed: undefined,
    breakpoints: new Set(),
    cursor,
    showsHelp: false,
    hidden: false,
    version: 0,
  };
}

export function reduce(state: TraceScreenState, action: TraceScreenAction): TraceScreenState {
  switch (action.type) {
    case "resize":
      return { ...state, columns: action.columns, rows: action.rows };
    case "phase":
      // an engine that died stays dead until it is started again or the screen is left
      if (state.phase === "dead" && !["restarting", "left"].includes(action.phase)) return state;
      return { ...state, phase: action.phase, activity: action.activity };
    case "waiting":
      return { ...state, waiting: action.keys };
    case "notice":
      return { ...state, notice: action.notice };
    case "typed":
      return { ...state, typed: action.typed };
    case "cursor":
      return { ...state, cursor: Math.max(1, Math.min(action.lines, action.line)) };
    case "breakpoint": {
      const breakpoints = new Set(state.breakpoints);
      if (!breakpoints.delete(state.cursor)) breakpoints.add(state.cursor);
      return { ...state, breakpoints };
    }
    case "help":
      return { ...state, showsHelp: !state.showsHelp };
    case "hide":
      return { ...state, hidden: action.hidden };
    case "stepped":
      return { ...state, version: state.version + 1, cursor: action.line ?? state.cursor };
  }
}

/** Holds the state outside React. */
export class TraceScreenStore {
  private readonly listeners = new Set<() => void>();

  constructor(private current: TraceScreenState) {}

  readonly state = (): TraceScreenState => this.current;

  dispatch(action: TraceScreenAction): void {
    this.current = reduce(this.current, action);
    for (const listener of this.listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
