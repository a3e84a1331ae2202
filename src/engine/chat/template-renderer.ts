import { Worker } from "node:worker_threads";
import { distFile } from "../system/package-root.js";
import type { RenderedTemplate, TemplateRequest } from "./jinja/evaluate-template.js";
import { TEMPLATE_LIMITS } from "./jinja/limits.js";
import { TemplateProblem, type TemplateProblemCode } from "./jinja/template-problem.js";
import type { TemplateReply } from "./jinja/template-worker.js";
import { templateError } from "./template-error.js";

export interface RendererOptions {
  /** Milliseconds one template may take. */
  readonly wallClockMs?: number;
  /** MiB of heap the worker may use. */
  readonly heapMb?: number;
}

/**
 * Renders chat templates in a worker thread. The worker is started on first use and kept; a template that breaks the
 * clock or the heap limit takes its worker with it, and the next one gets a fresh worker. An idle worker does not keep
 * the process alive.
 */
export class TemplateRenderer {
  readonly #options: Required<RendererOptions>;
  #worker: Promise<Worker> | null = null;
  /** Requests wait for one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RendererOptions = {}) {
    this.#options = { wallClockMs: TEMPLATE_LIMITS.wallClockMs, heapMb: TEMPLATE_LIMITS.heapMb, ...options };
  }

  /**
   * @param source what to call the template in messages, such as the model's file name
   * @throws UserError TEMPLATE_* (see TemplateProblemCode), AbortError when the signal fires
   */
  render(request: TemplateRequest, source: string, signal?: AbortSignal): Promise<RenderedTemplate> {
    const result = this.#last.then(() => this.#renderNow(request, source, signal));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Starts the worker ahead of the first request. */
  prepare(): void {
    this.#last = this.#last.then(() => this.#ready()).catch(() => undefined);
  }

  /** Stop the worker; a rendering under way fails. The renderer may be used again afterwards. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.then(
      (one) => one.terminate(),
      () => undefined,
    );
  }

  async #renderNow(
    request: TemplateRequest,
    source: string,
    signal?: AbortSignal,
  ): Promise<RenderedTemplate> {
    signal?.throwIfAborted();
    const worker = await this.#ready();
    try {
      worker.ref();
      return await exchange(worker, request, this.#options.wallClockMs, signal);
    } catch (error) {
      if (!(error instanceof TemplateProblem) || STOPPED.has(error.code)) await this.close();
      throw error instanceof TemplateProblem ? templateError(error, source) : error;
    } finally {
      worker.unref();
    }
  }

  #ready(): Promise<Worker> {
    if (this.#worker) return this.#worker;
    const starting = startWorker(this.#options.heapMb);
    this.#worker = starting;
    // an idle worker that ends is replaced at the next request; a rendering under way hears of its end itself
    const forget = (): void => {
      if (this.#worker === starting) this.#worker = null;
    };
    starting.then((worker) => worker.once("exit", forget), forget);
    return starting;
  }
}

/** Starts a worker that does not keep the process alive. */
async function startWorker(heapMb: number): Promise<Worker> {
  const worker = new Worker(distFile("engine/chat/jinja/template-worker.js"), {
    // Nothing of this process is passed on: no flags, no environment, no standard streams.
    argv: [],
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, stackSizeMb: TEMPLATE_LIMITS.stackMb },
  });
  worker.on("error", () => undefined);
  await firstMessage(worker);
  worker.unref();
  return worker;
}

/** Problems after which a worker is not used again. */
const STOPPED: ReadonlySet<TemplateProblemCode> = new Set(["TEMPLATE_TIMEOUT", "TEMPLATE_MEMORY"]);

function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
    worker.once("exit", () => reject(new Error("the template worker ended before it was ready")));
  });
}

/** One request and its reply, or the reason why there will be none. */
function exchange(
  worker: Worker,
  request: TemplateRequest,
  wallClockMs: number,
  signal?: AbortSignal,
): Promise<RenderedTemplate> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      action();
    };
    const fail = (error: unknown): void => settle(() => reject(error as Error));
    const onAbort = (): void => fail(signal?.reason);
    const onExit = (): void => fail(new Error("the template worker ended without a reply"));
    const onError = (error: NodeJS.ErrnoException): void => {
      const isHeap = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      fail(
        isHeap ? new TemplateProblem("TEMPLATE_MEMORY", "it used more memory than a template may") : error,
      );
    };
    const onMessage = (reply: TemplateReply): void => {
      if (reply.kind === "rendered") settle(() => resolve(reply.rendered));
      else if (reply.kind === "problem") fail(new TemplateProblem(reply.code, reply.message));
    };
    const timer = setTimeout(() => {
      fail(new TemplateProblem("TEMPLATE_TIMEOUT", `it ran longer than ${wallClockMs / 1000} s`));
    }, wallClockMs);
    signal?.addEventListener("abort", onAbort);
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(request);
  });
}
