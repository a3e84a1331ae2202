import { type Frame, lineText, type Locals } from "./frame.js";
import { advance, INITIAL_STATE } from "./trace-state.js";

export interface Count {
  right: number;
  total: number;
}

/** How often each part was right, over the frames of the real run. */
export interface TraceAccuracy {
  /** whole frames */
  frames: Count;
  event: Count;
  /** the source line */
  line: Count;
  /** every local of every call and line: name and value */
  locals: Count;
  /** values of returns and exceptions */
  value: Count;
}

export type Departure =
  | { readonly frame: number; readonly field: "event" | "line" | "value"; predicted: string; actual: string }
  /** a name that is missing on one side has no value there */
  | {
      readonly frame: number;
      readonly field: "locals";
      readonly name: string;
      readonly predicted: string | undefined;
      readonly actual: string | undefined;
    }
  | { readonly frame: number; readonly field: "missing" | "extra" };

export interface TraceComparison {
  readonly accuracy: TraceAccuracy;
  /** frames before the first that is not the same */
  readonly agreeing: number;
  readonly compared: number;
  readonly departure: Departure | undefined;
  /** for each frame of the longer trace: is it the same on both sides? */
  readonly agrees: readonly boolean[];
}

interface Seen {
  readonly frame: Frame;
  /** resolved, for calls and lines */
  readonly locals: Locals | undefined;
}

/**
 * Compares a predicted trace with a real one, frame by frame in their order. ".." is resolved on both sides, and
 * addresses in repr() texts do not count.
 * @param most compare this many frames at most, where one side was cut by a limit
 */
export function compareTraces(
  predicted: readonly Frame[],
  actual: readonly Frame[],
  most = Infinity,
): TraceComparison {
  const accuracy: TraceAccuracy = {
    frames: { right: 0, total: 0 },
    event: { right: 0, total: 0 },
    line: { right: 0, total: 0 },
    locals: { right: 0, total: 0 },
    value: { right: 0, total: 0 },
  };
  const left = resolved(predicted).slice(0, most);
  const right = resolved(actual).slice(0, most);
  const agrees: boolean[] = [];
  let departure: Departure | undefined;
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const real = right[i];
    const found = real ? compareFrame(left[i], real, i, accuracy) : ({ frame: i, field: "extra" } as const);
    departure ??= found;
    agrees.push(found === undefined);
  }
  const first = agrees.indexOf(false);
  return {
    accuracy,
    agreeing: first < 0 ? agrees.length : first,
    compared: right.length,
    departure,
    agrees,
  };
}

function compareFrame(
  guess: Seen | undefined,
  real: Seen,
  index: number,
  accuracy: TraceAccuracy,
): Departure | undefined {
  const departures: Departure[] = [];
  const check = (count: Count, isRight: boolean, departure: Departure) => {
    count.total++;
    if (isRight) count.right++;
    else departures.push(departure);
  };
  const missing = { frame: index, field: "missing" } as const;
  check(
    accuracy.event,
    guess?.frame.event === real.frame.event,
    guess
      ? { frame: index, field: "event", predicted: guess.frame.event, actual: real.frame.event }
      : missing,
  );
  const [wrote, ran] = [
    guess && lineText(guess.frame.source).trimEnd(),
    lineText(real.frame.source).trimEnd(),
  ];
  check(
    accuracy.line,
    wrote === ran,
    wrote === undefined ? missing : { frame: index, field: "line", predicted: wrote, actual: ran },
  );
  if (real.locals) {
    for (const name of new Set([...real.locals.keys(), ...(guess?.locals?.keys() ?? [])])) {
      const [a, b] = [guess?.locals?.get(name), real.locals.get(name)];
      const same = a !== undefined && b !== undefined && withoutAddresses(a) === withoutAddresses(b);
      check(accuracy.locals, same, { frame: index, field: "locals", name, predicted: a, actual: b });
    }
  }
  if ("value" in real.frame) {
    const value = guess && "value" in guess.frame ? guess.frame.value : undefined;
    check(
      accuracy.value,
      value !== undefined && withoutAddresses(value) === withoutAddresses(real.frame.value),
      value === undefined
        ? missing
        : { frame: index, field: "value", predicted: value, actual: real.frame.value },
    );
  }
  accuracy.frames.total++;
  if (departures.length === 0) accuracy.frames.right++;
  return departures[0];
}

function resolved(frames: readonly Frame[]): Seen[] {
  let state = INITIAL_STATE;
  return frames.map((frame) => {
    state = advance(state, frame);
    return { frame, locals: "locals" in frame ? state.scopes.at(-1)?.locals : undefined };
  });
}

/** "<object object at 0x7f...>" is another text in every run. */
function withoutAddresses(text: string): string {
  return text.replace(/ at 0x[0-9a-fA-F]+/g, "");
}
