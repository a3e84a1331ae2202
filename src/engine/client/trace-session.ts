import { UserError } from "../errors.js";
import type { Sampling } from "../host/protocol.js";
import { findLine } from "../trace/find-line.js";
import { type Frame, TRACE_EVENTS, type TraceEvent } from "../trace/frame.js";
import type { ParsedFrame } from "../trace/parse-frame.js";
import { assembleTrace, renderContext, renderFrame } from "../trace/render-frame.js";
import type { TraceProgram } from "../trace/trace-program.js";
import { advance, INITIAL_STATE, type TraceState } from "../trace/trace-state.js";
import type { TraceTokens } from "../trace/trace-tokens.js";
import { chooseEvent } from "./choose-event.js";
import { predictFrame, type FrameConfidence } from "./predict-frame.js";
import { tokenizePlainly, type TraceEngine } from "./trace-engine.js";

export interface TraceOptions {
  /** temperature, top-p and seed; the rest is neutral */
  sampling: Pick<Sampling, "temperature" | "topP" | "seed">;
  contextSize: number;
  /** longest frame in tokens; CWM's authors allow 2048 */
  maxFrameTokens: number;
  /** most frames of a session */
  maxFrames: number;
}

/** Limits that end a trace before the program does. */
export type TraceCap = "frame tokens" | "frames" | "context";

/** One predicted step. */
export interface TraceStep extends ParsedFrame {
  /** its tokens, the separator included */
  readonly ids: readonly number[];
  /** line of the program it names, counted from 1; undefined when the program has no such line */
  readonly line: number | undefined;
  readonly state: TraceState;
  /** line of each scope in `state.scopes` */
  readonly scopeLines: readonly (number | undefined)[];
  readonly confidence: FrameConfidence;
  /** its event was not the model's choice */
  readonly forced: boolean;
  readonly edited: boolean;
  /** the limit that cut it off */
  readonly cap?: TraceCap;
}

export type TraceStatus =
  | { readonly kind: "running" }
  /** the entry has returned, or the model wrote the end of the trace */
  | { readonly kind: "ended" }
  | { readonly kind: "cut"; readonly cap: TraceCap };

/**
 * A program as a model thinks it runs, frame by frame. The engine's cache holds the frames so far, so that a step
 * evaluates only what is new; after going back or an edit it evaluates from the first difference.
 */
export class TraceSession {
  #steps: TraceStep[] = [];
  #status: TraceStatus = { kind: "running" };
  /** how often it began anew: another run of the dice each time */
  #restarts = 0;

  #engine: TraceEngine;

  private constructor(
    engine: TraceEngine,
    private readonly tokens: TraceTokens,
    readonly program: TraceProgram,
    readonly options: TraceOptions,
    private readonly prompt: readonly number[],
  ) {
    this.#engine = engine;
  }

  /**
   * @throws UserError CONTEXT_OVERFLOW (exit 2) when the program alone fills the context
   */
  static async open(
    engine: TraceEngine,
    tokens: TraceTokens,
    program: TraceProgram,
    options: TraceOptions,
  ): Promise<TraceSession> {
    const prompt = await tracePrompt(engine, tokens, program);
    if (prompt.length + 8 > options.contextSize) {
      throw new UserError(
        "usage",
        "CONTEXT_OVERFLOW",
        `The program takes ${prompt.length} tokens; the context has ${options.contextSize}.`,
        "Give more with --ctx-size, or trace a smaller program.",
      );
    }
    return new TraceSession(engine, tokens, program, options, prompt);
  }

  get steps(): readonly TraceStep[] {
    return this.#steps;
  }

  get current(): TraceStep | undefined {
    return this.#steps.at(-1);
  }

  get state(): TraceState {
    return this.current?.state ?? INITIAL_STATE;
  }

  get status(): TraceStatus {
    return this.#status;
  }

  /** Tokens of the program and all frames so far. */
  get usedTokens(): number {
    return this.#steps.reduce((sum, { ids }) => sum + ids.length, this.prompt.length);
  }

  /**
   * Predicts one frame. A trace begins with a call.
   * @param only the events it may have; one is forced upon the model, of several it chooses
   * @returns undefined when the trace is over, or a limit leaves no room (see status)
   * @throws AbortError when the signal fires; nothing has changed then
   */
  async predict(only?: readonly TraceEvent[], signal?: AbortSignal): Promise<TraceStep | undefined> {
    if (this.#status.kind === "ended") return undefined;
    if (this.#steps.length >= this.options.maxFrames) return this.#stop("frames");
    const before = this.#tokenIds();
    // an event, the two marks of the shortest frame and its separator
    if (before.length + 5 > this.options.contextSize) return this.#stop("context");
    const candidates = [...TRACE_EVENTS.map((event) => this.tokens[event]), this.tokens.end];
    const { probabilities } = await this.#engine.weigh({ tokens: before, candidates }, signal);
    const allowed = this.#steps.length === 0 ? (["call"] as const) : only;
    const seed = (this.options.sampling.seed + 7919 * this.#restarts + this.#steps.length) >>> 0;
    const open = TRACE_EVENTS.flatMap((event, i) => (!allowed || allowed.includes(event) ? [i] : []));
    if (!allowed) open.push(TRACE_EVENTS.length);
    const weights = open.map((i) => probabilities[i]!);
    const choice = open[chooseEvent(weights, { ...this.options.sampling, seed })]!;
    const event = TRACE_EVENTS[choice];
    if (event === undefined) {
      this.#status = { kind: "ended" };
      return undefined;
    }
    const predicted = await predictFrame(
      this.#engine,
      this.tokens,
      { before, event, options: this.options, seed },
      signal,
    );
    return this.#push({
      ...predicted,
      confidence: { event: probabilities[choice]!, ...predicted.confidence },
      forced: allowed?.length === 1,
      edited: false,
    });
  }

  /**
   * One frame; from the call of a function, into it: a line is forced. Where a generator goes on, anything may follow:
   * its return too, when nothing is left of it.
   */
  stepInto(signal?: AbortSignal): Promise<TraceStep | undefined> {
    const { frame } = this.current ?? {};
    const begins = frame?.event === "call" && /^\s*(?:async\s+)?def\b/.test(frame.source);
    return this.predict(begins ? ["line"] : undefined, signal);
  }

  /** The next frame of this scope: a call that comes is stepped over, its return value predicted at once. */
  async stepOver(signal?: AbortSignal): Promise<TraceStep | undefined> {
    if (this.current === undefined) return this.predict(undefined, signal);
    const step = await this.predict(undefined, signal);
    if (step?.frame.event !== "call" || this.#status.kind !== "running") return step;
    const returned = await this.predict(["return"], signal);
    if (returned === undefined || this.#status.kind !== "running") return returned;
    return (await this.predict(undefined, signal)) ?? returned;
  }

  /** On until this scope has returned, and one frame further; inner calls are stepped over. */
  async stepOut(signal?: AbortSignal): Promise<TraceStep | undefined> {
    let own = this.state.scopes.length;
    for (;;) {
      const depth = this.state.scopes.length;
      const inner = this.current?.frame.event === "call" && depth > own;
      const step = await this.predict(inner ? ["return"] : undefined, signal);
      own ||= 1;
      if (step === undefined || this.#status.kind !== "running") return step ?? this.current;
      if (step.frame.event === "return" && !inner) return (await this.predict(undefined, signal)) ?? step;
    }
  }

  /** Takes the last frame back. @returns false when there is none but the first */
  back(): boolean {
    if (this.#steps.length <= 1) return false;
    this.#steps.pop();
    this.#status = { kind: "running" };
    return true;
  }

  /**
   * Goes on with another engine in the place of one that has died. It must have the same model loaded and a context of
   * the same size; it reads the trace when the next frame is predicted.
   */
  useEngine(engine: TraceEngine): void {
    this.#engine = engine;
  }

  /** Begins anew; the next prediction may differ, unless the temperature is 0. */
  restart(): void {
    this.#steps = [];
    this.#status = { kind: "running" };
    this.#restarts++;
  }

  /**
   * Changes a local of the current frame (of a return or an exception: its value, whatever the name). What follows is
   * predicted from there.
   * @param value what repr() would show
   */
  async edit(name: string, value: string): Promise<TraceStep | undefined> {
    const step = this.current;
    if (!step) return undefined;
    const frame: Frame =
      "locals" in step.frame
        ? { ...step.frame, locals: new Map([...step.frame.locals, [name, value]]) }
        : { ...step.frame, value };
    return this.replaceLast(frame);
  }

  /** Puts a frame of one's own in the place of the last one. */
  async replaceLast(frame: Frame): Promise<TraceStep> {
    const ids = await assembleTrace(renderFrame(frame), this.tokens, (text) =>
      tokenizePlainly(this.#engine, this.tokens, text),
    );
    const confidence = { event: undefined, values: undefined, source: undefined };
    this.#steps.pop();
    this.#status = { kind: "running" };
    return this.#push({ frame, problems: [], ids, confidence, forced: true, edited: true });
  }

  #tokenIds(): number[] {
    return [...this.prompt, ...this.#steps.flatMap(({ ids }) => ids)];
  }

  #stop(cap: TraceCap): undefined {
    this.#status = { kind: "cut", cap };
  }

  #push(predicted: Omit<TraceStep, "line" | "state" | "scopeLines">): TraceStep {
    const { frame } = predicted;
    const before = this.current;
    const state = advance(this.state, frame);
    const outer = before?.scopeLines.slice(0, state.scopes.length - 1) ?? [];
    const earlier = frame.event === "call" ? undefined : before?.scopeLines[state.scopes.length - 1];
    const line = findLine(this.program, frame.source, earlier);
    const step: TraceStep = { ...predicted, line, state, scopeLines: [...outer, line] };
    this.#steps.push(step);
    if (step.cap !== undefined) this.#status = { kind: "cut", cap: step.cap };
    else if (state.finished) this.#status = { kind: "ended" };
    return step;
  }
}

/** Tokens before the first frame. */
export function tracePrompt(
  engine: TraceEngine,
  tokens: TraceTokens,
  program: TraceProgram,
): Promise<number[]> {
  return assembleTrace(renderContext(program.context), tokens, (text) =>
    tokenizePlainly(engine, tokens, text),
  );
}
