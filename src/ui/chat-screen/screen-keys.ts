import type { ChatDriver } from "./chat-driver.js";
import { runCommand } from "./commands/run-command.js";
import { interpretKey, withoutBlockMarks } from "./input/interpret-key.js";
import type { KeyEvent } from "./input/key-event.js";
import { expandPastes } from "./input/paste-slots.js";

/** What the screen can do beyond its state; given by whoever opens it. */
export interface ScreenPowers {
  leave(): void;
  redraw(): void;
  /** Stops the process as a shell's Ctrl-Z does; comes back when it goes on. */
  suspend(): Promise<void>;
  /** @returns the text as it was saved in $EDITOR; undefined when the editor failed */
  openEditor(text: string): Promise<string | undefined>;
  complete(): void;
  remember(message: string): void;
}

/** Connects the keys with the conversation. */
export function keyHandler(driver: ChatDriver, powers: ScreenPowers): (event: KeyEvent) => void {
  const { store } = driver;
  const intents = {
    send: () => void send(driver, powers).catch((error: unknown) => driver.fail(error)),
    stop: () => driver.stop(),
    leave: () => powers.leave(),
    redraw: () => powers.redraw(),
    complete: () => powers.complete(),
    restart: () => void driver.restart(),
    "show-thinking": () => driver.toggleThinking(),
    suspend: () => void powers.suspend(),
    "open-editor": () => void writeInEditor(driver, powers).catch((error: unknown) => driver.fail(error)),
  };
  return (event) => {
    const meaning = interpretKey(event, store.state());
    if (meaning === undefined) return;
    if ("action" in meaning) store.dispatch(meaning.action);
    else intents[meaning.intent]();
  };
}

async function writeInEditor({ store }: ChatDriver, powers: ScreenPowers): Promise<void> {
  const { editor, slots } = store.state();
  const text = await powers.openEditor(expandPastes(editor.text, slots));
  if (text !== undefined) store.dispatch({ type: "set-input", text });
}

/** Enter: a command runs, everything else is asked. While an answer comes, the line stays as it is. */
async function send(driver: ChatDriver, powers: ScreenPowers): Promise<void> {
  const { store } = driver;
  const { editor, slots, phase } = store.state();
  const typed = expandPastes(editor.text, slots);
  if (typed.trim() === "") return;
  if (phase !== "idle") {
    const busy = phase === "working" ? "still at work" : "the answer is still coming";
    store.dispatch({ type: "notice", text: `${busy}; Ctrl-C stops it` });
    return;
  }
  store.dispatch({ type: "sent", message: typed });
  powers.remember(typed);
  const isCommand = /^\/[a-z?]/i.test(typed) && !typed.includes("\n");
  if (isCommand) await runCommand(typed, driver, powers);
  else await driver.ask(withoutBlockMarks(typed));
}
