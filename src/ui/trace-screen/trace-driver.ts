import type { TraceSession, TraceStep } from "../../engine/client/trace-session.js";
import { isAbortError, UserError } from "../../engine/errors.js";
import type { TraceScreenStore } from "./screen-state.js";

/** What the keys do to a trace. One thing runs at a time; Ctrl-C stops it and keeps the frames that came. */
export class TraceDriver {
  engineDied = false;
  private running: AbortController | undefined;

  constructor(
    readonly session: TraceSession,
    readonly store: TraceScreenStore,
  ) {}

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  step = () => this.run("into", (signal) => this.session.stepInto(signal));
  next = () => this.run("over", (signal) => this.session.stepOver(signal));
  out = () => this.run("out", (signal) => this.session.stepOut(signal));

  /** On to a breakpoint, the line given, or the end. */
  go(target?: number): Promise<void> {
    return this.run(target === undefined ? "on" : `to line ${target}`, async (signal) => {
      for (;;) {
        const step = await this.session.stepInto(signal);
        this.stepped();
        if (!step || this.session.status.kind !== "running" || this.isStop(step, target)) return step;
      }
    });
  }

  back(): void {
    if (!this.session.back()) this.say("this is the first frame");
    this.stepped();
  }

  async restart(): Promise<void> {
    this.session.restart();
    this.stepped();
    await this.step();
  }

  /** @param text "name = value" as typed; of a return or an exception only the value */
  async edit(text: string): Promise<void> {
    const frame = this.session.current?.frame;
    if (!frame) return;
    if (!("locals" in frame)) return this.apply("", text.trim());
    const [, name, value] = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/s.exec(text) ?? [];
    if (name === undefined || value === undefined || value === "") {
      return this.say('write NAME = VALUE, as repr() would show it, such as x = "abc"', "warning");
    }
    await this.apply(name, value);
  }

  stop(): void {
    this.running?.abort();
  }

  say(text: string, tone: "info" | "warning" | "error" = "info"): void {
    this.store.dispatch({ type: "notice", notice: { text, tone } });
  }

  /** Shows an error; the trace so far stays on the screen. */
  fail(error: unknown): void {
    const known = error instanceof UserError;
    const message = error instanceof Error ? error.message : String(error);
    const hint = known && error.hint !== undefined ? ` ${error.hint}` : "";
    this.say(known ? message + hint : `${message} (this is a bug in parley)`, "error");
    if (known && (error.exit === "engineDied" || error.exit === "outOfMemory")) {
      this.engineDied = true;
      this.store.dispatch({ type: "phase", phase: "dead" });
    }
  }

  private async apply(name: string, value: string): Promise<void> {
    try {
      await this.session.edit(name, value);
      this.say("edited; what follows is predicted from here");
      this.stepped();
    } catch (error) {
      this.fail(error);
    }
  }

  private async run(what: string, job: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (this.running) return this.say("a frame is being predicted; Ctrl-C stops it");
    const { status } = this.session;
    if (status.kind !== "running") return this.say(describeStatus(this.session), "warning");
    const controller = new AbortController();
    this.running = controller;
    this.store.dispatch({ type: "phase", phase: "predicting", activity: `predicting: step ${what}` });
    try {
      await job(controller.signal);
      if (this.session.status.kind !== "running") this.say(describeStatus(this.session), "warning");
    } catch (error) {
      if (controller.signal.aborted && (isAbortError(error) || !(error instanceof UserError)))
        this.say("stopped");
      else this.fail(error);
    } finally {
      this.running = undefined;
      this.store.dispatch({ type: "phase", phase: "idle" });
      this.stepped();
    }
  }

  private isStop({ line, frame }: TraceStep, target: number | undefined): boolean {
    if (line === undefined || frame.event === "return") return false;
    return line === target || this.store.state().breakpoints.has(line);
  }

  private stepped(): void {
    this.store.dispatch({ type: "stepped", line: this.session.current?.line });
  }
}

function describeStatus({ status }: TraceSession): string {
  if (status.kind === "ended") return "the program has ended; b goes back, r begins anew";
  if (status.kind === "cut") {
    return `cut off by a limit, not by the model: ${status.cap}; b goes back, r begins anew`;
  }
  return "";
}
