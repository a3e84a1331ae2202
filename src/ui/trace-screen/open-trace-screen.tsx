import { Chalk } from "chalk";
import { Box, render, Text } from "ink";
import { useSyncExternalStore } from "react";
import type { TraceSession } from "../../engine/client/trace-session.js";
import type { KeyEvent } from "../chat-screen/input/key-event.js";
import { Curtain } from "../chat-screen/curtain.js";
import { useKeys } from "../chat-screen/input/use-keys.js";
import { stopProcessGroup } from "../chat-screen/stop-process-group.js";
import { TerminalModes } from "../chat-screen/terminal-modes.js";
import { createPalette } from "../chat-screen/transcript/palette.js";
import { AlternateScreen } from "./alternate-screen.js";
import { keyHandler } from "./screen-keys.js";
import { screenRows } from "./screen-rows.js";
import { initialState, TraceScreenStore } from "./screen-state.js";
import { type DriverEngine, type StartEngine, TraceDriver } from "./trace-driver.js";

export interface TraceScreenOptions {
  readonly session: TraceSession;
  /** the engine of the session */
  readonly engine: DriverEngine;
  readonly startEngine: StartEngine;
  readonly model: string;
  readonly file: string;
  /** colours of the terminal; 0: none */
  readonly colourLevel: 0 | 1 | 2 | 3;
  /** aborted by a signal that ends the command */
  readonly signal: AbortSignal;
}

/**
 * Opens the debugger on this process's terminal and returns when the user has left it. The terminal is as it was before,
 * whatever happened.
 * @returns is the engine dead at the end?
 */
export async function openTraceScreen({
  session,
  engine,
  startEngine,
  model,
  file,
  colourLevel,
  signal,
}: TraceScreenOptions): Promise<{ engineDied: boolean }> {
  const { stdin, stdout } = process;
  const palette = createPalette(new Chalk({ level: colourLevel }));
  const { entry } = session.program;
  const first = entry.kind === "function" ? entry.line : 1;
  const store = new TraceScreenStore(initialState(stdout.columns || 80, stdout.rows || 24, first));
  const driver = new TraceDriver(session, store, engine, startEngine);
  const modes = new TerminalModes(stdout);
  const screen = new AlternateScreen(stdout);
  const onResize = () => {
    // what the terminal has made of the old rows is wiped; Ink draws all of them again
    stdout.write("\u001b[2J\u001b[H");
    store.dispatch({ type: "resize", columns: stdout.columns || 80, rows: stdout.rows || 24 });
  };
  // what React has made last
  let made: readonly string[] = [];
  const rows = () => {
    const state = store.state();
    return (made = state.hidden ? [] : screenRows(session, state, { model, file, palette }));
  };
  stdout.on("resize", onResize);
  screen.enter();
  modes.enter();
  let left = false;
  let engineDied = false;
  const leave = () => {
    if (left) return;
    left = true;
    engineDied = store.state().phase === "dead";
    driver.leave();
    store.dispatch({ type: "phase", phase: "left" });
    // React draws what was dispatched in a microtask
    setImmediate(() => ink.unmount());
  };
  const curtain = new Curtain({
    stdin,
    hide: (hidden) => store.dispatch({ type: "hide", hidden }),
    leave: () => {
      modes.restore();
      screen.leave();
    },
    enter: () => {
      screen.enter();
      modes.enter();
    },
  });
  const suspend = () => void curtain.lend(stopProcessGroup);
  const onKey = keyHandler(driver, { leave, suspend });
  const ink = render(<TraceScreen store={store} rows={rows} onKey={onKey} />, {
    exitOnCtrlC: false,
    maxFps: 30,
    onRender: () => curtain.drawn({ isEmpty: made.length === 0 }),
  });
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  void driver.step();
  try {
    await ink.waitUntilExit();
  } finally {
    signal.removeEventListener("abort", leave);
    stdout.off("resize", onResize);
    modes.restore();
    screen.leave();
  }
  return { engineDied };
}

function TraceScreen({
  store,
  rows,
  onKey,
}: {
  readonly store: TraceScreenStore;
  readonly rows: () => readonly string[];
  readonly onKey: (event: KeyEvent) => void;
}) {
  useSyncExternalStore(store.subscribe, store.state);
  useKeys(onKey);
  const shown = rows();
  if (shown.length === 0) return null;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{shown.map((row) => (row === "" ? " " : row)).join("\n")}</Text>
    </Box>
  );
}
