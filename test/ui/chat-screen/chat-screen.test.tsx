import { Chalk } from "chalk";
import { cleanup, render } from "ink-testing-library";
import stringWidth from "string-width";
import { afterEach, describe, expect, it } from "vitest";
import { ChatScreen } from "../../../src/ui/chat-screen/chat-screen.js";
import { interpretKey } from "../../../src/ui/chat-screen/input/interpret-key.js";
import { initialState } from "../../../src/ui/chat-screen/screen-state.js";
import { ScreenStore } from "../../../src/ui/chat-screen/screen-store.js";
import { createPalette } from "../../../src/ui/chat-screen/transcript/palette.js";

const palette = createPalette(new Chalk({ level: 0 }));

afterEach(cleanup);

/** The screen without a conversation behind it: keys change what is typed. */
async function open(size: { columns: number; rows: number }) {
  const store = new ScreenStore(
    initialState({
      ...size,
      history: [],
      status: {
        model: "model",
        contextUsed: 10,
        contextSize: 100,
        overflow: "error",
        tokensPerSecond: 5,
        firstTokenMs: 20,
        memoryBytes: undefined,
      },
    }),
  );
  const intents: string[] = [];
  const screen = render(
    <ChatScreen
      store={store}
      palette={palette}
      onKey={(event) => {
        const meaning = interpretKey(event, store.state());
        if (meaning === undefined) return;
        if ("action" in meaning) store.dispatch(meaning.action);
        else intents.push(meaning.intent);
      }}
    />,
  );
  await settled();
  return { store, intents, type: screen.stdin.write, frame: () => visible(screen.lastFrame() ?? "") };
}

/** React draws what was dispatched in a task of its own. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

/** Without the reversed cell of the cursor. */
function visible(frame: string): string {
  return frame.replaceAll(/\u001b\[(?:7|27)m/g, "");
}

describe("the screen", () => {
  it("shows what is typed, and where the terminal breaks it", async () => {
    const { type, frame, intents } = await open({ columns: 20, rows: 10 });
    expect(frame()).toContain("Send a message");
    type("hello");
    await settled();
    type("\u001b[D\u001b[D日");
    await settled();
    expect(frame()).toContain(">>> hel日lo");
    expect(frame()).not.toContain("Send a message");
    type(" and more words\u001b\r");
    await settled();
    expect(frame()).toContain("... lo");
    type("\r");
    await settled();
    expect(intents).toEqual(["send"]);
  });

  it("writes finished parts once, above what still changes", async () => {
    const { store, frame } = await open({ columns: 40, rows: 12 });
    store.dispatch({ type: "append", items: [{ kind: "user", text: "question" }] });
    const block = (source: string) => ({ kind: "markdown", source, gap: true, indent: 0 }) as const;
    store.dispatch({ type: "live", live: { block: block("first **part**") } });
    await settled();
    expect(frame()).toMatch(/> question[\s\S]*first part[\s\S]*>>> [\s\S]*model/);
    const finished = [{ kind: "block", block: block("first **part**, whole") }] as const;
    store.dispatch({ type: "live", live: { block: block("second") }, finished });
    await settled();
    expect(frame().split("first part").length).toBe(2);
    expect(frame()).toMatch(/first part, whole[\s\S]*second[\s\S]*>>> /);
  });

  it("folds thinking, and shows it when asked", async () => {
    const { store, frame } = await open({ columns: 40, rows: 12 });
    store.dispatch({ type: "live", live: { activity: "thinking, 3 s (Ctrl-O shows it)" } });
    await settled();
    expect(frame()).toContain("thinking, 3 s");
    store.dispatch({ type: "live", live: { thinking: "a thought", activity: "thinking, 4 s" } });
    await settled();
    expect(frame()).toMatch(/ {2}a thought\s+thinking, 4 s/);
  });

  it("draws nothing while another program has the terminal, or when it was left", async () => {
    const { store, frame } = await open({ columns: 40, rows: 12 });
    store.dispatch({ type: "hide", hidden: true });
    await settled();
    expect(frame().trim()).toBe("");
    store.dispatch({ type: "hide", hidden: false });
    await settled();
    expect(frame()).toContain(">>> ");
    store.dispatch({ type: "phase", phase: "left" });
    await settled();
    expect(frame().trim()).toBe("");
  });

  it("fits terminals of any size, down to one column and two rows", async () => {
    for (const [columns, rows] of [
      [1, 24],
      [2, 2],
      [5, 3],
      [12, 5],
      [300, 100],
    ] as const) {
      const { store, type, frame } = await open({ columns, rows });
      store.dispatch({ type: "notice", text: "a notice of some words" });
      store.dispatch({
        type: "live",
        live: {
          activity: "reading the prompt",
          block: { kind: "markdown", source: "# Words\n\nand | pipes", gap: true, indent: 0 },
        },
      });
      type("typed text");
      await settled();
      const lines = frame().split("\n");
      expect(lines.length, `${columns}x${rows}`).toBeLessThan(Math.max(2, rows));
      for (const line of lines) expect(stringWidth(line), `${columns}x${rows}`).toBeLessThanOrEqual(columns);
      cleanup();
    }
  });

  it("takes a paste that comes in pieces as one", async () => {
    const { type, store } = await open({ columns: 40, rows: 12 });
    type("\u001b[200~one\rtw");
    type("o\u001b[20");
    type("1~!");
    await settled();
    expect(store.state().editor.text).toBe("one\ntwo!");
  });
});
