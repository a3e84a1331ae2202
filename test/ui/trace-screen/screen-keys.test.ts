import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { TraceSession } from "../../../src/engine/client/trace-session.js";
import { UserError } from "../../../src/engine/errors.js";
import type { GenerateEvent, GenerateParams, GenerateResult } from "../../../src/engine/host/protocol.js";
import { prepareProgram } from "../../../src/engine/trace/trace-program.js";
import { key, type KeyEvent } from "../../../src/ui/chat-screen/input/key-event.js";
import { DEAD, keyHandler } from "../../../src/ui/trace-screen/screen-keys.js";
import { initialState, TraceScreenStore } from "../../../src/ui/trace-screen/screen-state.js";
import {
  type DriverEngine,
  type StartEngine,
  TraceDriver,
} from "../../../src/ui/trace-screen/trace-driver.js";
import { markedIds, ScriptedTraceEngine } from "../../engine/client/scripted-trace-engine.js";
import { byteTokens } from "../../engine/trace/stored-traces.js";
import { FIRST_FRAMES, line, returns, SOURCE } from "../../engine/trace/marked-frames.js";

const FRAMES = [...FIRST_FRAMES, line('{"a": "..", "b": "3"}', "    return b"), returns("    return b", "3")];
const DEATH = new UserError("engineDied", "ENGINE_KILLED", "The engine was killed.");

/** A scripted model whose frames come when they are let through, and whose process can die. */
class GatedEngine extends ScriptedTraceEngine implements DriverEngine {
  isOpen = true;
  private reportDeath: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => (this.reportDeath = resolve));
  private isDead = false;
  private waiting: (() => void)[] = [];

  open(): void {
    this.isOpen = true;
    for (const go of this.waiting.splice(0)) go();
  }

  die(): void {
    this.isDead = true;
    this.open();
    this.reportDeath();
  }

  override tokenize(text: string, options: { special: boolean }): Promise<number[]> {
    return this.isDead ? Promise.reject(DEATH) : super.tokenize(text, options);
  }

  override async *generate(
    params: GenerateParams,
    signal?: AbortSignal,
  ): AsyncGenerator<GenerateEvent, GenerateResult> {
    if (!this.isOpen && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    if (this.isDead) throw DEATH;
    return yield* super.generate(params, signal);
  }
}

/** Says the frames in their order, whatever the ones before say. */
function playing(): GatedEngine {
  return new GatedEngine((tokens) => {
    const frame = FRAMES[tokens.filter((id) => id === byteTokens.frame).length - 1];
    return frame === undefined ? [byteTokens.end] : markedIds(frame);
  });
}

async function debuggerWith(engine: GatedEngine, startEngine?: StartEngine) {
  const session = await TraceSession.open(engine, byteTokens, prepareProgram(SOURCE), {
    sampling: { temperature: 0, topP: 1, seed: 1 },
    contextSize: 100_000,
    maxFrameTokens: 2048,
    maxFrames: 1000,
  });
  const store = new TraceScreenStore(initialState(100, 24, 5));
  const driver = new TraceDriver(
    session,
    store,
    engine,
    startEngine ?? (() => Promise.reject(new Error("not expected"))),
  );
  let left = 0;
  const handle = keyHandler(driver, { leave: () => left++, suspend: () => undefined });
  const idle = async () => {
    do await sleep(1);
    while (driver.isRunning);
  };
  return {
    session,
    store,
    idle,
    left: () => left,
    events: () => session.steps.map(({ frame }) => frame.event),
    notice: () => store.state().notice?.text,
    /** keys as a terminal may send them: all at once */
    press: (...events: (string | KeyEvent)[]) => {
      for (const event of events) handle(typeof event === "string" ? { kind: "text", text: event } : event);
    },
    type: async (...events: (string | KeyEvent)[]) => {
      for (const event of events) {
        handle(typeof event === "string" ? { kind: "text", text: event } : event);
        await idle();
      }
    },
  };
}

describe("keys of the debugger", () => {
  it("n steps over a call, by its return", async () => {
    const engine = new GatedEngine((tokens) => {
      const text = Buffer.from(tokens.filter((id) => id < 256)).toString("utf8");
      const before = tokens.filter((id) => id === byteTokens.frame).length - 1;
      // behind a call only its return is asked for
      return markedIds(text.endsWith('"2"') ? FRAMES[6]! : FRAMES[before < 3 ? before : 5]!);
    });
    const debug = await debuggerWith(engine);
    await debug.type("n", "n");
    expect(debug.events()).toEqual(["call", "line"]);
    await debug.type("n");
    expect(debug.events()).toEqual(["call", "line", "call", "return", "line"]);
    expect(debug.session.steps[3]!.forced).toBe(true);
    expect(debug.session.steps[3]!.problems).toEqual([]);
    expect(debug.session.current!.line).toBe(7);
    expect(debug.session.state.scopes.map(({ name }) => name)).toEqual(["main"]);
  });

  it("g goes to the chosen line, inside a call, and stops at a breakpoint on the way", async () => {
    const debug = await debuggerWith(playing());
    await debug.type("s");
    await debug.type("k", "k", "g");
    expect(debug.store.state().cursor).toBe(3);
    expect(debug.session.current!.line).toBe(3);
    expect(debug.events()).toEqual(["call", "line", "call", "line", "line"]);

    const stopped = await debuggerWith(playing());
    await stopped.type("s", "k", "k", "k", " ");
    expect([...stopped.store.state().breakpoints]).toEqual([2]);
    await stopped.type("j", "j", "j", "j", "j", "j", "g");
    expect(stopped.session.current!.line).toBe(2);
    await stopped.type("a");
    expect(stopped.session.status).toEqual({ kind: "ended" });
  });

  it("e edits the value of a return, also of the last one, and goes on from there", async () => {
    const engine = playing();
    const debug = await debuggerWith(engine);
    await debug.type("s", "s", "s", "s", "s", "s", "e");
    expect(debug.store.state().typed?.text).toBe("2");
    await debug.type(key("u", { ctrl: true }), "'two'", key("enter"));
    expect(debug.session.current!.frame).toMatchObject({ event: "return", value: "'two'" });
    expect(debug.session.current!.edited).toBe(true);
    expect(debug.events()).toHaveLength(6);
    await debug.type("s");
    const asked = Buffer.from(engine.weighed.at(-1)!.filter((id) => id < 256)).toString("utf8");
    expect(asked.endsWith(`    return y\n"'two'"`)).toBe(true);
    expect(debug.events()).toHaveLength(7);

    await debug.type("a");
    expect(debug.session.status).toEqual({ kind: "ended" });
    await debug.type("e");
    expect(debug.store.state().typed?.text).toBe("3");
    await debug.type("0", key("enter"));
    expect(debug.session.state.returned).toBe("30");
  });

  it("refuses an edit that is none, and leaves the frame as it was", async () => {
    const debug = await debuggerWith(playing());
    await debug.type("s", "s", "s", "e", key("u", { ctrl: true }), "x", key("enter"));
    expect(debug.notice()).toContain("write NAME = VALUE");
    expect(debug.session.current!.edited).toBe(false);
    await debug.type("e", key("escape"));
    expect(debug.store.state().typed).toBeUndefined();
  });

  it("lets keys wait while a frame is predicted, and shows them", async () => {
    const engine = playing();
    const debug = await debuggerWith(engine);
    engine.isOpen = false;
    debug.press("sss");
    expect(debug.store.state()).toMatchObject({ phase: "working", waiting: ["s", "s"] });
    debug.press("b", "x");
    expect(debug.store.state().waiting).toEqual(["s", "s", "b"]);
    await sleep(5);
    engine.open();
    await debug.idle();
    expect(debug.store.state()).toMatchObject({ phase: "idle", waiting: [] });
    // three steps, one back
    expect(debug.events()).toEqual(["call", "line"]);
  });

  it("remembers for which line g was pressed, and what was to be typed behind e", async () => {
    const engine = playing();
    const debug = await debuggerWith(engine);
    engine.isOpen = false;
    // line 2 is chosen while the first frame is predicted, which would move the choice to line 5
    debug.press("s", "k", "k", "k", "g");
    debug.press("e", key("u", { ctrl: true }), "x = 7", key("enter"), "s");
    await sleep(5);
    engine.open();
    await debug.idle();
    expect(debug.events()).toEqual(["call", "line", "call", "line", "line"]);
    expect(debug.session.steps[3]!.line).toBe(2);
    expect(debug.session.steps[3]!.edited).toBe(true);
    expect(debug.session.steps[3]!.state.scopes[1]!.locals.get("x")).toBe("7");
  });

  it("Ctrl-C stops the prediction and forgets what waits; twice it leaves", async () => {
    const engine = playing();
    const debug = await debuggerWith(engine);
    await debug.type("s");
    engine.isOpen = false;
    debug.press("sss", key("c", { ctrl: true }));
    await debug.idle();
    expect(debug.notice()).toBe("stopped");
    expect(debug.store.state().waiting).toEqual([]);
    expect(debug.events()).toEqual(["call"]);
    debug.press(key("c", { ctrl: true }));
    expect(debug.left()).toBe(0);
    debug.press(key("c", { ctrl: true }));
    expect(debug.left()).toBe(1);
    engine.open();
    await debug.type("s");
    expect(debug.events()).toEqual(["call", "line"]);
  });

  it("Enter starts a dead engine again, finishes the step it died in, and goes on with the whole trace", async () => {
    const first = playing();
    const second = playing();
    const debug = await debuggerWith(first, (progress) => {
      progress.update({ label: "loading the model" });
      return Promise.resolve(second);
    });
    await debug.type("s", "s");
    first.isOpen = false;
    debug.press("s", "s");
    await sleep(5);
    first.die();
    await debug.idle();
    expect(debug.store.state()).toMatchObject({ phase: "dead", waiting: [] });
    expect(debug.notice()).toContain("The engine was killed.");
    await debug.type("s");
    expect(debug.notice()).toBe(DEAD);
    expect(debug.events()).toEqual(["call", "line"]);
    await debug.type(key("enter"));
    expect(debug.store.state().phase).toBe("idle");
    expect(debug.events()).toEqual(["call", "line", "call"]);
    expect(second.weighed[0]).toEqual(first.weighed.at(-1));
    await debug.type("s");
    expect(debug.events()).toHaveLength(4);
    await debug.type(key("enter"));
    expect(debug.events()).toHaveLength(4);
  });

  it("stays dead when the engine does not start, and says why", async () => {
    const engine = playing();
    let tries = 0;
    const debug = await debuggerWith(engine, () => {
      tries++;
      return Promise.reject(new UserError("outOfMemory", "OUT_OF_MEMORY", "No room for the model."));
    });
    await debug.type("s");
    engine.die();
    await debug.idle();
    expect(debug.notice()).toContain("The engine was killed.");
    await debug.type(key("enter"));
    expect(debug.notice()).toContain("No room for the model.");
    expect(debug.store.state().phase).toBe("dead");
    await debug.type(key("enter"));
    expect(tries).toBe(2);
    expect(debug.events()).toEqual(["call"]);
  });
});
