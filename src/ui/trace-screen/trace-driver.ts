import type { TraceEngine } from "../../engine/client/trace-engine.js";
import type { TraceSession, TraceStep } from "../../engine/client/trace-session.js";
import { isAbortError, UserError } from "../../engine/errors.js";
import type { Progress } from "../progress.js";
import type { TraceScreenStore } from "./screen-state.js";

/** An engine process with the model of the trace. */
export interface DriverEngine extends TraceEngine {
  /** resolves when the process has ended, for whatever reason */
  readonly ended: Promise<void>;
}

/** Starts an engine in the place of one that died, with the same model and size of context. */
export type StartEngine = (progress: Progress, signal: AbortSignal) => Promise<DriverEngine>;

type Job = (signal: AbortSignal) => Promise<unknown>;

/** What the keys do to a trace. One thing runs at a time; Ctrl-C stops it and keeps the frames that came. */
export class TraceDriver {
  /** called when nothing runs any more; with false after an error or Ctrl-C */
  onIdle: (goesOn: boolean) => void = () => undefined;
  private running: AbortController | undefined;
  /** what was running when the engine died */
  private interrupted: { what: string; job: Job } | undefined;
  private left = false;

  constructor(
    readonly session: TraceSession,
    readonly store: TraceScreenStore,
    private engine: DriverEngine,
    private readonly startEngine: StartEngine,
  ) {
    this.watch(engine);
  }

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
        if (!step || this.session.status.kind !== "running" || this.isStop(step, target)) return;
      }
    });
  }

  back(): void {
    if (!this.session.back()) this.say("this is the first frame");
    this.stepped();
  }

  restart(): Promise<void> {
    this.session.restart();
    this.stepped();
    return this.step();
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

  /** Starts the engine again, and what it was doing when it died. The trace so far is kept. */
  async revive(): Promise<void> {
    const { interrupted } = this;
    const isBack = await this.exclusively("restarting", "starting the engine", async (signal) => {
      const progress: Progress = {
        update: ({ label }) =>
          this.store.dispatch({
            type: "phase",
            phase: "restarting",
            activity: `starting the engine: ${label}`,
          }),
        finish: () => undefined,
      };
      this.engine = await this.startEngine(progress, signal);
      this.watch(this.engine);
      this.session.useEngine(this.engine);
      this.say("the engine runs again; the next step reads the trace anew");
    });
    if (isBack && interrupted) await this.run(interrupted.what, interrupted.job);
  }

  stop(): void {
    this.running?.abort();
  }

  /** Stops what runs; what happens to the engine from here on is no news. */
  leave(): void {
    this.left = true;
    this.stop();
  }

  say(text: string, tone: "info" | "warning" | "error" = "info"): void {
    this.store.dispatch({ type: "notice", notice: { text, tone } });
  }

  private async apply(name: string, value: string): Promise<void> {
    await this.exclusively("working", "editing", async () => {
      await this.session.edit(name, value);
      this.say("edited; what follows is predicted from here");
    });
  }

  private async run(what: string, job: Job): Promise<void> {
    if (this.session.status.kind !== "running") return this.say(describeStatus(this.session), "warning");
    const isDone = await this.exclusively("working", `predicting: step ${what}`, async (signal) => {
      await job(signal);
      if (this.session.status.kind !== "running") this.say(describeStatus(this.session), "warning");
    });
    this.interrupted = !isDone && this.store.state().phase === "dead" ? { what, job } : undefined;
  }

  /** @returns did it come to its end? */
  private async exclusively(phase: "working" | "restarting", activity: string, job: Job): Promise<boolean> {
    if (this.running) throw new Error("something runs already");
    const controller = new AbortController();
    this.running = controller;
    this.store.dispatch({ type: "phase", phase, activity });
    let isDone = false;
    try {
      await job(controller.signal);
      isDone = true;
    } catch (error) {
      if (controller.signal.aborted && (isAbortError(error) || !(error instanceof UserError))) {
        this.say("stopped");
      } else this.fail(error);
    } finally {
      this.running = undefined;
      const isDead = phase === "restarting" && !isDone;
      this.store.dispatch({ type: "phase", phase: isDead ? "dead" : "idle" });
      this.stepped();
      this.onIdle(isDone);
    }
    return isDone;
  }

  /** Shows an error; the trace so far stays on the screen. */
  private fail(error: unknown): void {
    const known = error instanceof UserError;
    const message = error instanceof Error ? error.message : String(error);
    const hint = known && error.hint !== undefined ? ` ${error.hint}` : "";
    this.say(known ? message + hint : `${message} (this is a bug in parley)`, "error");
    if (known && (error.exit === "engineDied" || error.exit === "outOfMemory")) {
      this.store.dispatch({ type: "phase", phase: "dead" });
    }
  }

  /** An engine that ends by itself is an event of the screen, whatever is going on. */
  private watch(engine: DriverEngine): void {
    void engine.ended.then(async () => {
      if (this.left || engine !== this.engine) return;
      // a call says why it has ended
      await engine.tokenize("", { special: false }).catch((error: unknown) => this.fail(error));
    });
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
