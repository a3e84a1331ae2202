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

/** Connects the keys with the trace. */
export function keyHandler(driver: TraceDriver, screen: ScreenActions): (event: KeyEvent) => void {
  const keys = new TraceKeys(driver, screen);
  return (event) => {
    if (event.kind === "text") for (const text of event.text) keys.take({ kind: "text", text });
    else if (event.kind === "key" || driver.store.state().typed) keys.take(event);
  };
}

/** What may be done while something runs. */
const ALWAYS: ReadonlySet<string> = new Set([
  "j",
  "k",
  "up",
  "down",
  "pageup",
  "pagedown",
  " ",
  "?",
  "q",
  "ctrl-d",
  "escape",
]);
/** What may be done when the engine has died. */
const DEAD_TOO: ReadonlySet<string> = new Set([...ALWAYS, "b", "enter"]);

/** Keys that come while a frame is predicted wait for their turn. */
class TraceKeys {
  private isLeaving = false;
  private waiting: readonly WaitingKey[] = [];
  /** each gets the line that was chosen when its key was pressed */
  private readonly actions: Record<string, (cursor: number) => void>;

  constructor(
    private readonly driver: TraceDriver,
    private readonly screen: ScreenActions,
  ) {
    this.actions = actionsOf(driver, screen);
    driver.onIdle = (goesOn) => this.goOn(goesOn);
  }

  take(event: KeyEvent): void {
    const { driver, waiting } = this;
    if (driver.store.state().typed) return this.type(event);
    const name = event.kind === "key" ? keyName(event) : event.text;
    if (this.control(name)) return;
    const { cursor, phase } = driver.store.state();
    // behind an e that waits comes what shall be typed
    const isTyping = waiting.some((one) => one.name === "e");
    if (!driver.isRunning || (ALWAYS.has(name) && !isTyping)) return this.press(name, cursor);
    if (phase === "restarting" || waiting.length >= MOST_WAITING) return;
    if (name in this.actions || isTyping) this.wait([...waiting, { event, name, cursor }]);
  }

  /** @returns was the key taken here? */
  private control(name: string): boolean {
    const { driver, screen } = this;
    if (name !== "ctrl-c") {
      this.isLeaving = false;
      if (name === "ctrl-z") screen.suspend();
      return name === "ctrl-z";
    }
    if (driver.isRunning) driver.stop();
    else if (this.isLeaving) screen.leave();
    else {
      this.isLeaving = true;
      driver.say("Ctrl-C again leaves");
    }
    return true;
  }

  private press(name: string, cursor: number): void {
    const { store } = this.driver;
    store.dispatch({ type: "notice", notice: undefined });
    if (store.state().phase === "dead" && !DEAD_TOO.has(name)) return this.driver.say(DEAD, "error");
    this.actions[name]?.(cursor);
  }

  private type(event: KeyEvent): void {
    const { store } = this.driver;
    const { typed } = store.state();
    if (!typed) return;
    const result = typeKey(typed, event);
    const isOver = result === "done" || result === "cancelled";
    store.dispatch({ type: "typed", typed: isOver ? undefined : result });
    if (result === "done") void this.driver.edit(typed.text);
  }

  private wait(keys: readonly WaitingKey[]): void {
    this.waiting = keys;
    this.driver.store.dispatch({ type: "waiting", keys: keys.map(({ name }) => name) });
  }

  /** Takes the keys that waited, until one has something run again. */
  private goOn(goesOn: boolean): void {
    if (!goesOn) this.wait([]);
    while (this.waiting.length > 0 && !this.driver.isRunning) {
      const { event, name, cursor } = this.waiting[0]!;
      this.wait(this.waiting.slice(1));
      if (this.driver.store.state().typed) this.type(event);
      else this.press(name, cursor);
    }
  }
}

function actionsOf(driver: TraceDriver, { leave }: ScreenActions): Record<string, (cursor: number) => void> {
  const { store, session } = driver;
  const lines = session.program.lines.length;
  const move = (by: number) => store.dispatch({ type: "cursor", line: store.state().cursor + by, lines });
  return {
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
