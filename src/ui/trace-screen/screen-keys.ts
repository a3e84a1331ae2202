import { type KeyEvent, keyName } from "../chat-screen/input/key-event.js";
import { UNCHANGED } from "../../engine/trace/frame.js";
import type { TraceDriver } from "./trace-driver.js";
import { typeKey } from "./typed-line.js";

/** The keys and what they do, in the order of the help. */
export const TRACE_KEYS = [
  ["n", "next: one line on, calls are stepped over"],
  ["s", "step: one frame on, into calls"],
  ["o", "out: on until this function has returned"],
  ["a", "all: on to a breakpoint or the end"],
  ["b", "back: take the last frame back"],
  ["e", "edit a local (of a return: its value) and go on from there"],
  ["r", "restart: predict anew from the entry"],
  ["up, down", "choose a line (k, j)"],
  ["space", "breakpoint on the chosen line"],
  ["g", "go to the chosen line"],
  ["Ctrl-C", "stop predicting; twice when idle: leave"],
  ["?", "this help"],
  ["q", "leave"],
] as const;

/** Connects the keys with the trace. */
export function keyHandler(driver: TraceDriver, leave: () => void): (event: KeyEvent) => void {
  const { store, session } = driver;
  let isLeaving = false;
  const lines = session.program.lines.length;
  const move = (by: number) => store.dispatch({ type: "cursor", line: store.state().cursor + by, lines });
  const actions: Record<string, () => void> = {
    n: () => void driver.next(),
    s: () => void driver.step(),
    o: () => void driver.out(),
    a: () => void driver.go(),
    g: () => void driver.go(store.state().cursor),
    b: () => driver.back(),
    r: () => void driver.restart(),
    e: () => beginEdit(driver),
    j: () => move(1),
    k: () => move(-1),
    down: () => move(1),
    up: () => move(-1),
    pagedown: () => move(10),
    pageup: () => move(-10),
    " ": () => store.dispatch({ type: "breakpoint" }),
    "?": () => store.dispatch({ type: "help" }),
    escape: () => store.state().showsHelp && store.dispatch({ type: "help" }),
    q: leave,
    "ctrl-d": leave,
  };
  /** what may be done while a frame is being predicted */
  const always = new Set(["j", "k", "up", "down", "pageup", "pagedown", " ", "?", "q", "ctrl-d", "escape"]);
  const deadToo = new Set([...always, "b"]);

  const press = (name: string) => {
    store.dispatch({ type: "notice", notice: undefined });
    if (name === "ctrl-c") {
      if (driver.isRunning) return driver.stop();
      if (isLeaving) return leave();
      isLeaving = true;
      return driver.say("Ctrl-C again leaves");
    }
    isLeaving = false;
    const action = actions[name];
    if (!action) return;
    if (driver.isRunning && !always.has(name))
      return driver.say("a frame is being predicted; Ctrl-C stops it");
    if (store.state().phase === "dead" && !deadToo.has(name)) {
      return driver.say("the engine has died; q leaves", "error");
    }
    action();
  };

  return (event) => {
    const { typed } = store.state();
    if (typed) {
      const result = typeKey(typed, event);
      if (result === "done") {
        store.dispatch({ type: "typed", typed: undefined });
        void driver.edit(typed.text);
      } else store.dispatch({ type: "typed", typed: result === "cancelled" ? undefined : result });
    } else if (event.kind === "text") for (const char of event.text) press(char);
    else if (event.kind === "key") press(keyName(event));
  };
}

/** Begins with what most likely is to be changed: the value, or the local that changed last. */
function beginEdit(driver: TraceDriver): void {
  const { session, store } = driver;
  const step = session.current;
  if (!step) return driver.say("there is no frame to edit");
  const top = step.state.scopes.at(-1);
  let text = "";
  if ("value" in step.frame) text = step.frame.value;
  else {
    const name = [...(top?.changed ?? [])].at(-1) ?? [...(top?.locals.keys() ?? [])].at(-1);
    const value = name === undefined ? undefined : top?.locals.get(name);
    if (name !== undefined) text = `${name} = ${value === UNCHANGED ? "" : (value ?? "")}`;
  }
  store.dispatch({ type: "typed", typed: { purpose: "edit", text, at: text.length } });
}
