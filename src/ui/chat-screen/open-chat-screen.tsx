import { Chalk } from "chalk";
import { render } from "ink";
import { ChatDriver, type DriverOptions } from "./chat-driver.js";
import { ChatScreen } from "./chat-screen.js";
import { Curtain } from "./curtain.js";
import { completeInput } from "./commands/complete-input.js";
import { editExternally } from "./input/external-editor.js";
import { HistoryFile } from "./input/history-file.js";
import { eraseUp, reflowedRows } from "./reflow.js";
import { savedItems } from "./saved-items.js";
import { keyHandler } from "./screen-keys.js";
import { initialState } from "./screen-state.js";
import { ScreenStore } from "./screen-store.js";
import { stopProcessGroup } from "./stop-process-group.js";
import { TerminalModes } from "./terminal-modes.js";
import type { TerminalStreams } from "./terminal-streams.js";
import { lastRows } from "./transcript/last-rows.js";
import { createPalette } from "./transcript/palette.js";

export interface ChatScreenOptions extends Omit<DriverOptions, "store" | "palette"> {
  /** tokens the first message will find, if it is no long one */
  readonly contextSize: number;
  /** colours of the terminal; 0: none */
  readonly colourLevel: 0 | 1 | 2 | 3;
  /** aborted by a signal that ends the command */
  readonly signal: AbortSignal;
  /** default: this process's */
  readonly streams?: TerminalStreams;
}

/** Redraws per second at most: what a token changes is seen within two frames. */
const MAX_FPS = 30;

/** What the live rows take when little is typed: kept free when the screen is drawn again. */
const LIVE_ROWS = 5;

/**
 * Opens the chat screen on a terminal and returns when the user has left it. The terminal is as it was before, whatever
 * happened.
 */
export async function openChatScreen({
  contextSize,
  colourLevel,
  signal,
  streams = process,
  ...options
}: ChatScreenOptions): Promise<void> {
  const { stdin, stdout } = streams;
  const palette = createPalette(new Chalk({ level: colourLevel }));
  const historyFile = new HistoryFile();
  const { facts } = options.engine;
  const store = new ScreenStore(
    initialState({
      columns: stdout.columns || 80,
      rows: stdout.rows || 24,
      history: await historyFile.read(),
      transcript: savedItems(options.chat.turns),
      status: {
        model: facts.name,
        contextUsed: undefined,
        contextSize,
        overflow: options.settings.overflow,
        tokensPerSecond: undefined,
        firstTokenMs: undefined,
        memoryBytes: undefined,
      },
    }),
  );
  const driver = new ChatDriver({ ...options, store, palette });
  const modes = new TerminalModes(stdout);
  // what React has made, and of that what Ink has written to the terminal
  let made: readonly string[] = [];
  let drawn: readonly string[] = [];

  const onResize = () => {
    const { columns, rows } = stdout;
    const { columns: before } = store.state();
    if (columns < before) stdout.write(eraseUp(reflowedRows(drawn, columns)));
    store.dispatch({ type: "resize", columns: columns || 80, rows: rows || 24 });
  };
  // before Ink's own listener, which erases what it has drawn
  stdout.on("resize", onResize);
  modes.enter();

  const curtain = new Curtain({
    stdin,
    hide: (hidden) => store.dispatch({ type: "hide", hidden }),
    leave: () => modes.restore(),
    enter: () => {
      modes.enter();
      // Ink takes back two rows, its empty ones, wherever the cursor is now
      stdout.write("\n");
    },
  });
  const leave = () => {
    store.dispatch({ type: "phase", phase: "left" });
    // React draws what was dispatched in a microtask
    setImmediate(() => ink.unmount());
  };
  const onKey = keyHandler(driver, {
    leave,
    redraw: () => {
      void curtain.hide(true).then(() => {
        const { transcript, columns, rows } = store.state();
        const shown = lastRows(transcript, palette, { columns, rows: Math.max(0, rows - LIVE_ROWS) });
        stdout.write(`\u001b[2J\u001b[H${shown.join("\n")}\n\n`);
        return curtain.hide(false);
      });
    },
    suspend: () => curtain.lend(stopProcessGroup),
    openEditor: async (text) => {
      const result = await curtain.lend(() => editExternally(text));
      if ("text" in result) return result.text;
      store.dispatch({ type: "notice", text: result.problem });
      return undefined;
    },
    complete: () => void completeInput(driver).catch((error: unknown) => driver.fail(error)),
    remember: (message) => void historyFile.append(message),
  });
  const ink = render(
    <ChatScreen store={store} palette={palette} onKey={onKey} onRows={(rows) => (made = rows)} />,
    {
      stdin,
      stdout,
      exitOnCtrlC: false,
      maxFps: MAX_FPS,
      onRender: () => {
        drawn = made;
        curtain.drawn({ isEmpty: drawn.length === 0 });
      },
    },
  );
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  void driver.refreshMemory();
  try {
    await ink.waitUntilExit();
  } finally {
    signal.removeEventListener("abort", leave);
    stdout.off("resize", onResize);
    modes.restore();
    await driver.close();
  }
}
