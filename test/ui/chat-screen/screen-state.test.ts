import { describe, expect, it } from "vitest";
import { interpretKey } from "../../../src/ui/chat-screen/input/interpret-key.js";
import { key, type KeyEvent } from "../../../src/ui/chat-screen/input/key-event.js";
import { expandPastes } from "../../../src/ui/chat-screen/input/paste-slots.js";
import {
  initialState,
  reduceScreen,
  type Phase,
  type ScreenState,
} from "../../../src/ui/chat-screen/screen-state.js";

const status = {
  model: "m",
  contextUsed: undefined,
  contextSize: 100,
  overflow: "error" as const,
  tokensPerSecond: undefined,
  firstTokenMs: undefined,
  memoryBytes: undefined,
};

function begin(history: string[] = [], phase: Phase = "idle"): ScreenState {
  return { ...initialState({ columns: 80, rows: 24, history, status }), phase };
}

const text = (value: string): KeyEvent => ({ kind: "text", text: value });
const ctrl = (name: string) => key(name, { ctrl: true });

/** Presses keys; intents are collected. */
function press(state: ScreenState, ...events: KeyEvent[]): { state: ScreenState; intents: string[] } {
  const intents: string[] = [];
  for (const event of events) {
    const meaning = interpretKey(event, state);
    if (meaning === undefined) continue;
    if ("intent" in meaning) intents.push(meaning.intent);
    else state = reduceScreen(state, meaning.action);
  }
  return { state, intents };
}

describe("keys of the screen", () => {
  it("Ctrl-C stops an answer", () => {
    expect(press(begin([], "answering"), ctrl("c")).intents).toEqual(["stop"]);
    expect(press(begin([], "stopping"), ctrl("c")).intents).toEqual([]);
  });

  it("Ctrl-C clears a line, asks, and then leaves", () => {
    const first = press(begin(), text("draft"), ctrl("c"));
    expect(first.state.editor.text).toBe("");
    expect(first.intents).toEqual([]);
    const asked = press(first.state, ctrl("c"));
    expect(asked.state.notice).toContain("leaves");
    expect(press(asked.state, ctrl("c")).intents).toEqual(["leave"]);
    // another key in between takes the question back
    expect(press(asked.state, text("x"), ctrl("c"), ctrl("c")).intents).toEqual([]);
  });

  it("Ctrl-D leaves an empty line and deletes in another", () => {
    expect(press(begin(), ctrl("d")).intents).toEqual(["leave"]);
    const { state, intents } = press(begin(), text("ab"), key("left"), ctrl("d"));
    expect([state.editor.text, intents]).toEqual(["a", []]);
  });

  it('Enter sends, but not within """', () => {
    expect(press(begin(), text("hi"), key("enter")).intents).toEqual(["send"]);
    const open = press(begin(), text('"""one'), key("enter"), text("two"));
    expect([open.state.editor.text, open.intents]).toEqual(['"""one\ntwo', []]);
    expect(press(open.state, text('"""'), key("enter")).intents).toEqual(["send"]);
  });

  it("Up and Down go through the history and come back to the draft", () => {
    const up = press(begin(["one", "two"]), text("draft"), key("up"), key("up"), key("up"));
    expect(up.state.editor.text).toBe("one");
    expect(press(up.state, key("down"), key("down")).state.editor.text).toBe("draft");
  });

  it("Up moves within a text of several lines first", () => {
    const { state } = press(begin(["old"]), text("ab"), ctrl("j"), text("cd"), key("up"));
    expect([state.editor.text, state.editor.cursor]).toEqual(["ab\ncd", 2]);
    expect(press(state, key("up")).state.editor.text).toBe("old");
  });

  it("Ctrl-R searches backwards and takes what was found", () => {
    const entries = ["git log", "ls", "git status"];
    const found = press(begin(entries), ctrl("r"), text("GIT"));
    expect(found.state.search?.found).toBe(2);
    const again = press(found.state, ctrl("r"), key("enter"));
    expect([again.state.editor.text, again.state.search]).toEqual(["git log", undefined]);
    expect(press(found.state, ctrl("c")).state.editor.text).toBe("");
  });

  it("keeps a large paste as one character and sends all of it", () => {
    const paste = "line\n".repeat(100_000);
    const pasted = press(begin(), text("a "), { kind: "paste", text: paste }, text(" b")).state;
    expect(pasted.editor.text.length).toBe(5);
    expect(expandPastes(pasted.editor.text, pasted.slots)).toBe(`a ${paste} b`);
    const removed = press(pasted, key("left"), key("left"), key("backspace")).state;
    expect(expandPastes(removed.editor.text, removed.slots)).toBe("a  b");
  });

  it("keeps emoji next to a paste whole", () => {
    const paste = "x".repeat(5000);
    const { state } = press(begin(), text("🎉"), { kind: "paste", text: paste }, text("🎉"));
    expect(expandPastes(state.editor.text, state.slots)).toBe(`🎉${paste}🎉`);
  });

  it("other keys ask for what the screen can do", () => {
    const keys = [ctrl("z"), ctrl("g"), ctrl("l"), ctrl("o"), key("tab")];
    expect(press(begin(), ...keys).intents).toEqual([
      "suspend",
      "open-editor",
      "redraw",
      "show-thinking",
      "complete",
    ]);
    // they work while an answer comes, too
    expect(press(begin([], "answering"), ctrl("z"), ctrl("g")).intents).toEqual(["suspend", "open-editor"]);
  });

  it("Enter starts a dead engine again", () => {
    expect(press(begin([], "dead"), key("enter")).intents).toEqual(["restart"]);
  });
});
