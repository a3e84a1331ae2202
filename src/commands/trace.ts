import { randomInt } from "node:crypto";
import { Args, type Interfaces } from "@oclif/core";
import type { ModelFacts } from "../engine/client/model-facts.js";
import type { TextSession } from "../engine/client/text-session.js";
import { traceTokensOf } from "../engine/client/trace-engine.js";
import {
  type TraceOptions,
  tracePrompt,
  TraceSession,
  type TraceStep,
} from "../engine/client/trace-session.js";
import { ExitCode } from "../engine/errors.js";
import { type PythonTrace, runPython } from "../engine/trace/run-python.js";
import { prepareProgram, type TraceProgram } from "../engine/trace/trace-program.js";
import { BaseCommand } from "../ui/base-command.js";
import { samplingFrom } from "../ui/chat-flags.js";
import { ContextSizer } from "../ui/context-sizer.js";
import { requireTextModel } from "../ui/model-use.js";
import { openTextModel } from "../ui/open-text-model.js";
import { checkDocument, checkSteps, checkText } from "../ui/trace/check-report.js";
import { loadScreen } from "../ui/load-screen.js";
import { endDocument, type RunEnd, stepDocument } from "../ui/trace/step-document.js";
import { stepText } from "../ui/trace/step-text.js";
import { traceFlags } from "../ui/trace/trace-flags.js";
import type { Progress } from "../ui/progress.js";
import { readTraceSource, type TraceSource } from "../ui/trace/trace-source.js";

/** Room for frames that a context is made with, in tokens, when the user names no size. */
const FRAMES_ROOM = 8192;

export default class Trace extends BaseCommand {
  static override summary = "predict, step by step, what a Python program would do";
  static override description = [
    "A Code World Model simulates Python; nothing is executed, except by --check. On a terminal it is a debugger:",
    "? there explains its keys. Elsewhere, or with --steps, --plain, --check or --json, the frames are printed.",
    "The trace begins at --entry, else at the line marked # << START_OF_TRACE, else at main(), else at the first line.",
    "Exit codes: 0 the program ended or --steps were made, 3 a limit cut the trace off, 4 frames were malformed.",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> -m facebook/cwm program.py",
    '<%= config.bin %> <%= command.id %> -m cwm.gguf program.py --entry "f(1, 2)" --steps 20',
    "<%= config.bin %> <%= command.id %> -m cwm.gguf program.py --check --temp 0",
    "cat program.py | <%= config.bin %> <%= command.id %> -m cwm.gguf - --json > frames.jsonl",
  ];
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: "FILE.py",
      description: "the program; - reads standard input",
    }),
  };
  static override flags = traceFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Trace);
    const source = await readTraceSource(args.file, process.stdin);
    const program = prepareProgram(source.text, flags.entry);
    const sampling = samplingOf(flags);
    const real = flags.check ? await this.runPython(program, source, flags) : undefined;
    const { facts, session } = await openTextModel({
      model: flags.model,
      flags,
      progress: this.progress(flags),
      signal: this.signal,
      check: requireTextModel,
    });
    try {
      const trace = await this.open(facts, session, { program, sampling, flags });
      if (usesScreen(flags)) await this.openScreen(trace, session, facts, { source, flags });
      else await this.print(trace, flags, real);
    } finally {
      await session.close();
    }
    this.signal.throwIfAborted();
  }

  private async openScreen(
    trace: TraceSession,
    session: TextSession,
    facts: ModelFacts,
    { source, flags }: { source: TraceSource; flags: Flags },
  ): Promise<void> {
    const restarted: TextSession[] = [];
    const startEngine = async (progress: Progress, signal: AbortSignal) => {
      const { session: next } = await openTextModel({ model: flags.model, flags, progress, signal });
      restarted.push(next);
      await new ContextSizer(next, { ...flags, "ctx-size": trace.options.contextSize }).fit(0, 0, signal);
      return next;
    };
    const { openTraceScreen } = await loadScreen(() => import("../ui/trace-screen/open-trace-screen.js"));
    try {
      const { engineDied } = await openTraceScreen({
        session: trace,
        engine: session,
        startEngine,
        model: facts.name,
        file: source.name,
        colourLevel: this.colours(process.stdout).level,
        signal: this.signal,
      });
      if (engineDied) process.exitCode = ExitCode.engineDied;
    } finally {
      for (const one of restarted) await one.close();
    }
  }

  private async runPython(program: TraceProgram, source: TraceSource, flags: Flags): Promise<PythonTrace> {
    this.note(`--check: executing ${source.name} with ${flags.python}`, flags);
    return runPython(
      program,
      {
        python: flags.python,
        folder: source.folder,
        limits: {
          seconds: flags.seconds,
          memoryBytes: flags.memory * 2 ** 20,
          frames: Math.max(flags["max-frames"], flags.steps ?? 0),
        },
      },
      this.signal,
    );
  }

  private async open(
    facts: ModelFacts,
    session: TextSession,
    { program, sampling, flags }: { program: TraceProgram; sampling: TraceOptions["sampling"]; flags: Flags },
  ): Promise<TraceSession> {
    const tokens = await traceTokensOf(session, facts.path);
    const prompt = await tracePrompt(session, tokens, program);
    const contextSize = await new ContextSizer(session, flags).fit(prompt.length, FRAMES_ROOM, this.signal);
    return TraceSession.open(session, tokens, program, {
      sampling,
      contextSize,
      maxFrameTokens: flags["frame-tokens"],
      maxFrames: flags["max-frames"],
    });
  }

  /** Frames as they are predicted, one after the other, without stepping over anything. */
  private async print(trace: TraceSession, flags: Flags, real: PythonTrace | undefined): Promise<void> {
    const colours = this.colours(process.stdout);
    const progress = this.progress(flags);
    const most = flags.steps ?? Infinity;
    while (trace.status.kind === "running" && trace.steps.length < most && !this.signal.aborted) {
      progress.update({ label: `predicting frame ${trace.steps.length}` });
      const step = await trace.stepInto(this.signal);
      progress.finish();
      if (!step) continue;
      const line = flags.json ? JSON.stringify(this.document(step, trace, real)) : stepText(step, colours);
      process.stdout.write(`${line}\n`);
    }
    const run = runEnd(trace);
    const comparison = real && checkSteps(trace.steps, real, flags.steps);
    if (flags.json) {
      const check = real && comparison ? { check: checkDocument(comparison, real) } : {};
      process.stdout.write(
        `${JSON.stringify({ ...endDocument(trace, run, trace.options.sampling.seed), ...check })}\n`,
      );
    } else {
      if (real && comparison) this.answer(checkText(comparison, real));
      this.note(describeEnd(trace, run, trace.options.sampling.seed), flags);
    }
    if (trace.steps.some(({ problems, cap }) => problems.length > 0 && cap === undefined)) {
      process.exitCode = ExitCode.traceMalformed;
    } else if (run.end === "cut") process.exitCode = ExitCode.traceCut;
  }

  /** With --check, each frame says whether Python's was the same. */
  private document(step: TraceStep, trace: TraceSession, real: PythonTrace | undefined) {
    const index = trace.steps.length - 1;
    const document = stepDocument(step, index);
    if (!real) return document;
    return { ...document, agrees: checkSteps(trace.steps, real, undefined).agrees[index] ?? null };
  }
}

type Flags = Interfaces.InferredFlags<typeof Trace.flags> &
  Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

/** @throws UserError (exit 2) for values that are no numbers or out of range */
function samplingOf(flags: Flags): TraceOptions["sampling"] {
  const request = samplingFrom({ ...flags, think: false, "keep-thoughts": false });
  const { temp = 0.6, topP = 0.95, seed = randomInt(2 ** 32) } = request;
  return { temperature: temp, topP, seed };
}

/** The debugger needs a terminal at both ends, and nobody who asked for output. */
function usesScreen({ json, plain, check, steps }: Flags): boolean {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== "dumb";
  return isTerminal && !json && !plain && !check && steps === undefined;
}

function runEnd({ status }: TraceSession): RunEnd {
  if (status.kind === "cut") return { end: "cut", limit: status.cap };
  return { end: status.kind === "ended" ? "ended" : "steps" };
}

const LIMIT_FLAGS: Record<string, string> = {
  "frame tokens": "--frame-tokens",
  frames: "--max-frames",
  context: "--ctx-size",
};

function describeEnd(trace: TraceSession, run: RunEnd, seed: number): string {
  const how =
    run.end === "cut"
      ? `the trace was cut off by a limit, not by the model: ${run.limit} (${LIMIT_FLAGS[run.limit] ?? ""})`
      : run.end === "ended"
        ? "the program ended"
        : "stopped after --steps";
  const malformed = trace.steps.filter(({ problems }) => problems.length > 0).length;
  const words = malformed === 0 ? "" : `, ${malformed} malformed`;
  return `${how}; ${trace.steps.length} frames${words}, ${trace.usedTokens} of ${trace.options.contextSize} tokens, seed ${seed}`;
}
