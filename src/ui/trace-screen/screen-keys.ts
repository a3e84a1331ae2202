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
  ["Ctrl-C", "stop predicting, forget the keys that wait; twice when idle: leave"],
  ["Ctrl-Z", "stop parley for a while, as the shell does it; fg goes on"],
  ["Enter", "when the engine has died: start it again and go on"],
  ["?", "this help"],
  ["q", "leave"],
] as const;

/** What a dead engine's screen says. */
export const DEAD = "the engine has died; Enter starts it again, q leaves";

/** A key that came while something ran, and the line that was chosen then. */
interface WaitingKey {
  readonly event: KeyEvent;
  readonly name: string;
  readonly cursor: number;
}

/** More would be a key that is held down. */
const MOST_WAITING = 50;

/** What keys do to the screen itself. */
export interface ScreenActions {
  readonly leave: () => void;
  readonly suspend: () => void;
}

/** Connects the keys with the trace. Keys that come while a frame is predicted wait for their turn. */
export function keyHandler(
  driver: TraceDriver,
  { leave, suspend }: ScreenActions,
): (event: KeyEvent) => void {
  const { store, session } = driver;
  let isLeaving = false;
  let waiting: readonly WaitingKey[] = [];
  const lines = session.program.lines.length;
  const move = (by: number) => store.dispatch({ type: "cursor", line: store.state().cursor + by, lines });
  /** @param cursor the line that was chosen when the key was pressed */
  const actions: Record<string, (cursor: number) => void> = {
    n: () => void driver.next(),
    s: () => void driver.step(),
    o: () => void driver.out(),
    a: () => void driver.go(),
    g: (cursor) => void driver.go(cursor),
    b: () => driver.back(),
    r: () => void driver.restart(),
    e: () => beginEdit(driver),
    enter: () => void (store.state().phase === "dead" && driver.revive()),
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
  /** what may be done while something runs */
  const always = new Set(["j", "k", "up", "down", "pageup", "pagedown", " ", "?", "q", "ctrl-d", "escape"]);
  const deadToo = new Set([...always, "b", "enter"]);

  const wait = (keys: readonly WaitingKey[]) => {
    waiting = keys;
    store.dispatch({ type: "waiting", keys: keys.map(({ name }) => name) });
  };

  driver.onIdle = (goesOn) => {
    if (!goesOn) wait([]);
    while (waiting.length > 0 && !driver.isRunning) {
      const { event, name, cursor } = waiting[0]!;
      wait(waiting.slice(1));
      if (store.state().typed) type(event);
      else press(name, cursor);
    }
  };

  const type = (event: KeyEvent) => {
    const { typed } = store.state();
    if (!typed) return;
    const result = typeKey(typed, event);
    store.dispatch({
      type: "typed",
      typed: result === "done" || result === "cancelled" ? undefined : result,
    });
    if (result === "done") void driver.edit(typed.text);
  };

  const press = (name: string, cursor: number) => {
    store.dispatch({ type: "notice", notice: undefined });
    if (store.state().phase === "dead" && !deadToo.has(name)) return driver.say(DEAD, "error");
    actions[name]?.(cursor);
  };

  /** @returns was the key taken here? */
  const control = (name: string): boolean => {
    if (name !== "ctrl-c") {
      isLeaving = false;
      if (name === "ctrl-z") suspend();
      return name === "ctrl-z";
    }
    if (driver.isRunning) driver.stop();
    else if (isLeaving) leave();
    else {
      isLeaving = true;
      driver.say("Ctrl-C again leaves");
    }
    return true;
  };

  const take = (event: KeyEvent) => {
    if (store.state().typed) return type(event);
    const name = event.kind === "key" ? keyName(event) : event.text;
    if (control(name)) return;
    // behind an e that waits comes what shall be typed
    const isTyping = waiting.some((one) => one.name === "e");
    if (!driver.isRunning || (always.has(name) && !isTyping)) return press(name, store.state().cursor);
    if (store.state().phase === "restarting" || waiting.length >= MOST_WAITING) return;
    if (name in actions || isTyping) wait([...waiting, { event, name, cursor: store.state().cursor }]);
  };

  return (event) => {
    if (event.kind === "text") for (const text of event.text) take({ kind: "text", text });
    else if (event.kind === "key" || store.state().typed) take(event);
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
