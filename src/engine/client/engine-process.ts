import { fork, type ChildProcess } from "node:child_process";
import { UserError } from "../errors.js";
import type { CallName, EngineCalls, FromEngine, ToEngine, WireError } from "../host/protocol.js";
import { distFile } from "../system/package-root.js";
import { explainEngineDeath } from "./engine-death.js";

export type EngineLog = Extract<FromEngine, { kind: "log" }>;

export interface EngineOptions {
  onLog?: (log: EngineLog) => void;
  /** size of libuv's pool in the engine process; 1 keeps all computing on one OpenMP team */
  poolSize?: number;
}

interface PendingCall {
  onEvent: (event: unknown) => void;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** How much of the engine's stderr is kept to explain its death, in characters. */
const KEEP_OUTPUT = 8192;

/** How long a closing engine may take before it is killed. */
const CLOSE_MS = 2000;

/**
 * The engine in its own process: a failed assertion there is an error message here.
 * All calls are answered in order; each can be cancelled.
 */
export class EngineProcess {
  private readonly child: ChildProcess;
  private readonly calls = new Map<number, PendingCall>();
  private nextId = 1;
  private output = "";
  private closing = false;
  private death: UserError | undefined;
  private modelPath: string | undefined;

  constructor({ onLog, poolSize = 1 }: EngineOptions = {}) {
    this.child = fork(distFile("engine/host/main.js"), [], {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
      env: {
        ...process.env,
        // without this an abort starts a debugger, which takes seconds and writes to the terminal
        GGML_NO_BACKTRACE: "1",
        UV_THREADPOOL_SIZE: String(poolSize),
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output = (this.output + text).slice(-KEEP_OUTPUT);
        onLog?.({ kind: "log", level: "debug", text: text.trimEnd() });
      });
    }
    this.child.on("message", (message: FromEngine) => {
      if (message.kind === "log") onLog?.(message);
      else this.settle(message);
    });
    this.child.once("error", (error) =>
      this.die(
        new UserError(
          "engineDied",
          "ENGINE_START",
          `The engine process could not be started: ${error.message}`,
        ),
      ),
    );
    // "close" comes after stderr has been read to its end, "exit" may come before
    this.ended = new Promise((resolve) =>
      this.child.once("close", (exitCode, signal) => {
        this.die(explainEngineDeath({ exitCode, signal, output: this.output, modelPath: this.modelPath }));
        resolve();
      }),
    );
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Resolves when the process has ended, for whatever reason, and its last words have been read. */
  readonly ended: Promise<void>;

  /**
   * Calls the engine and waits for the result.
   * @param signal cancels the call: it rejects (or, for generate, ends) once the engine has stopped
   * @throws UserError of the engine; UserError ENGINE_* when it dies
   */
  call<Name extends CallName>(
    name: Name,
    params: EngineCalls[Name]["params"],
    {
      signal,
      onEvent,
    }: { signal?: AbortSignal | undefined; onEvent?: (event: EngineCalls[Name]["event"]) => void } = {},
  ): Promise<EngineCalls[Name]["result"]> {
    if (this.death) return Promise.reject(this.death);
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (name === "load" || name === "loadSpeech") {
      this.modelPath = (params as EngineCalls["load" | "loadSpeech"]["params"]).modelPath;
    }

    const id = this.nextId++;
    const cancel = () => this.send({ kind: "cancel", id });
    signal?.addEventListener("abort", cancel, { once: true });
    return new Promise<unknown>((resolve, reject) => {
      this.calls.set(id, {
        onEvent: (onEvent as (event: unknown) => void) ?? (() => undefined),
        resolve,
        reject,
      });
      this.send({ kind: "call", id, name, params });
    }).finally(() => signal?.removeEventListener("abort", cancel)) as Promise<EngineCalls[Name]["result"]>;
  }

  /** As call(), but the events are yielded and the result is returned. Leaving the loop early cancels the call. */
  async *stream<Name extends CallName>(
    name: Name,
    params: EngineCalls[Name]["params"],
    signal?: AbortSignal,
  ): AsyncGenerator<EngineCalls[Name]["event"], EngineCalls[Name]["result"]> {
    const events: EngineCalls[Name]["event"][] = [];
    let wake: () => void = () => undefined;
    let open = true;
    const abandoned = new AbortController();
    const result = this.call(name, params, {
      signal: signal ? AbortSignal.any([signal, abandoned.signal]) : abandoned.signal,
      onEvent: (event) => {
        events.push(event);
        wake();
      },
    });
    const settled = result
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        open = false;
        wake();
      });
    try {
      while (open || events.length > 0) {
        const event = events.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (open) abandoned.abort();
      await settled;
    }
    return result;
  }

  /** Ends the process. What still runs there is lost. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const killed = setTimeout(() => this.child.kill("SIGKILL"), CLOSE_MS);
    // not disconnect(): Node never emits "close" for a channel its own side has closed
    if (this.child.connected) this.send({ kind: "quit" });
    else this.child.kill("SIGTERM");
    await this.ended;
    clearTimeout(killed);
  }

  private send(message: ToEngine): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private settle(message: Exclude<FromEngine, { kind: "log" }>): void {
    const call = this.calls.get(message.id);
    if (!call) return;
    if (message.kind === "event") {
      call.onEvent(message.event);
      return;
    }
    this.calls.delete(message.id);
    if (message.kind === "result") call.resolve(message.value);
    else call.reject(fromWire(message.error));
  }

  private die(error: UserError): void {
    this.death ??= this.closing
      ? new UserError("engineDied", "ENGINE_CLOSED", "The engine was closed.")
      : error;
    for (const call of this.calls.values()) call.reject(this.death);
    this.calls.clear();
  }
}

function fromWire({ name, message, stack, user }: WireError): Error {
  if (user) return new UserError(user.exit, user.code, message, user.hint);
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
