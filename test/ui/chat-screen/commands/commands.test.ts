import { mkdir, rm, writeFile, utimes } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChatStore } from "../../../../src/engine/chat/saved/chat-store.js";
import { FAMILIES } from "../../../../src/engine/families/index.js";
import type { ChatDriver } from "../../../../src/ui/chat-screen/chat-driver.js";
import { commands, findCommand } from "../../../../src/ui/chat-screen/commands/index.js";
import { completeInput } from "../../../../src/ui/chat-screen/commands/complete-input.js";
import { runCommand } from "../../../../src/ui/chat-screen/commands/run-command.js";
import { expandPastes } from "../../../../src/ui/chat-screen/input/paste-slots.js";
import { initialState } from "../../../../src/ui/chat-screen/screen-state.js";
import { ScreenStore } from "../../../../src/ui/chat-screen/screen-store.js";
import { UserError } from "../../../../src/engine/errors.js";
import { temporaryFolder } from "../../../helpers/models.js";
import { DEFAULT_SETTINGS } from "../default-settings.js";

let folder: string;
let driver: ChatDriver;
let store: ScreenStore;
let answers: number;
beforeEach(async () => {
  folder = await temporaryFolder();
  answers = 0;
  store = new ScreenStore(
    initialState({
      columns: 80,
      rows: 24,
      history: [],
      status: {
        model: "m",
        contextUsed: 9,
        contextSize: 100,
        overflow: "error",
        tokensPerSecond: undefined,
        firstTokenMs: undefined,
        memoryBytes: undefined,
      },
    }),
  );
  const chats = new ChatStore(path.join(folder, "chats"));
  // what the commands use of the driver; the engine is not asked
  driver = {
    store,
    chats,
    chat: chats.begin({ model: "m" }),
    engine: {
      name: "m",
      facts: {
        name: "model\u001b[2J",
        path: "/m.gguf",
        family: FAMILIES.find(({ name }) => name === "cwm"),
        bytes: 5,
        window: 8,
        contextLength: 100,
        layers: 2,
        vocabulary: 3,
        sampling: {},
      },
    },
    settings: DEFAULT_SETTINGS,
    answer: () => Promise.resolve(void answers++),
    save: (write: () => Promise<void>) => write(),
    append: (...items: never[]) => store.dispatch({ type: "append", items }),
    turnTo(this: { chat: unknown }, chat: unknown) {
      this.chat = chat;
    },
    fail: (error: unknown) =>
      store.dispatch({
        type: "append",
        items: [{ kind: "note", tone: "error", text: error instanceof UserError ? error.message : "bug" }],
      }),
  } as unknown as ChatDriver;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const powers = {
  leave: () => store.dispatch({ type: "phase", phase: "left" }),
  redraw: () => undefined,
  suspend: () => Promise.resolve(),
  openEditor: () => Promise.resolve(undefined),
  complete: () => undefined,
  remember: () => undefined,
};

/** Runs a line. @returns what it wrote into the transcript */
async function run(line: string): Promise<string> {
  const before = store.state().transcript.length;
  await runCommand(line, driver, powers);
  return store
    .state()
    .transcript.slice(before)
    .map((item) => {
      if (item.kind === "lines") return item.lines.join("\n");
      if (item.kind === "pairs") return item.pairs.map((pair) => pair.join(": ")).join("\n");
      return "text" in item ? item.text : JSON.stringify(item);
    })
    .join("\n");
}

async function talk(): Promise<void> {
  await driver.chat.add({ role: "user", text: "first question" });
  await driver.chat.add({
    role: "assistant",
    text: "first answer",
    thinking: "",
    raw: "first answer",
    startedInsideThinking: false,
    finishReason: "stop",
    family: "cwm",
    model: "m",
  });
  await driver.chat.add({ role: "user", text: "second question" });
}

describe("commands", () => {
  it("are all in /help, each with help of its own", async () => {
    const help = await run("/help");
    for (const command of commands) {
      expect(help).toContain(`/${command.names[0]}`);
      expect(await run(`/help ${command.names[0]}`)).toContain(command.summary);
      for (const name of command.names) expect(findCommand(name.toUpperCase())).toBe(command);
    }
    expect(help).toContain("Ctrl-G");
    expect(new Set(commands.flatMap(({ names }) => names)).size).toBe(
      commands.flatMap(({ names }) => names).length,
    );
  });

  it("of the contract are there", () => {
    const wanted =
      "help clear system set show think nothink regen undo edit read save load chats model stats context copy speak bye";
    for (const name of wanted.split(" ")) expect(findCommand(name), name).toBeDefined();
  });

  it("say so when they are unknown, without letting an escape through", async () => {
    expect(await run("/nothing\u001b[2J")).toMatch(/There is no command \/nothing\\x1b/);
  });

  it("/undo takes the last message back, /edit puts it into the input, /regen answers it again", async () => {
    await talk();
    expect(await run("/undo")).toContain("2 turns are left");
    await run("/edit");
    expect(store.state().editor.text).toBe("first question");
    expect(driver.chat.turns).toEqual([]);
    expect(await run("/undo")).toContain("Nothing has been said yet");
    await talk();
    await run("/regen");
    expect([answers, driver.chat.turns.length]).toEqual([1, 3]);
  });

  it("/regen drops the old answer", async () => {
    await talk();
    await driver.chat.keepFirst(2);
    await run("/regen");
    expect(driver.chat.turns).toEqual([{ role: "user", text: "first question" }]);
  });

  it("/save names a chat, /load and /chats find it, /clear begins another", async () => {
    await talk();
    expect(await run("/save mine")).toContain("saved as mine");
    const { id, path: file } = driver.chat;
    // file systems keep times to some milliseconds: two chats written at once would have no order
    const earlier = new Date(Date.now() - 60_000);
    await utimes(file, earlier, earlier);
    await run("/clear");
    expect(driver.chat.turns).toEqual([]);
    await driver.chat.add({ role: "user", text: "another" });
    expect(await run("/save mine")).toContain("Another chat has the name mine");
    expect(await run("/chats")).toMatch(/\* .*another[\s\S]* {2}mine .*first question/);
    expect(await run("/load mine")).toContain("3 turns");
    expect(driver.chat.id).toBe(id);
    expect(await run("/load nothing")).toContain("There is no chat nothing");
  });

  it("/set, /think, /nothink, /system change what comes next", async () => {
    await run("/set temp 0.3");
    expect(driver.settings.sampling.temp).toBe(0.3);
    expect(await run("/set temp hot")).toContain("expects a number");
    expect(await run("/set")).toContain("temp: 0.3");
    await run("/nothink");
    expect(driver.settings.thinking).toBe(false);
    await run("/set think");
    expect(driver.settings.thinking).toBe(true);
    expect(await run("/system be brief\u001b[2J")).toContain("the system prompt:\nbe brief");
    expect(driver.chat.content.system).toBe("be brief\u001b[2J");
    await run("/system default");
    expect(driver.chat.content.system).toBeUndefined();
  });

  it("/read puts a file into the input, and names what it cannot read", async () => {
    const file = path.join(folder, "notes.txt");
    await writeFile(file, "line\r\n".repeat(2000));
    await run(`/read ${file}`);
    const { editor, slots } = store.state();
    expect(expandPastes(editor.text, slots)).toBe(`notes.txt:\n${"line\n".repeat(2000)}`);
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await run(`/read ${file}`)).toContain("not text in UTF-8");
    expect(await run(`/read ${folder}/none`)).toContain("does not exist");
  });

  it("/show lets no escape of the model through", async () => {
    expect(await run("/show")).toContain("model\\x1b[2J");
    expect(await run("/show nothing")).toContain("knows no nothing");
  });

  it("/speak and /copy need an answer", async () => {
    expect(await run("/speak")).toContain("There is no answer yet");
    expect(await run("/copy")).toContain("There is no answer yet");
  });

  it("/bye leaves", async () => {
    await run("/bye");
    expect(store.state().phase).toBe("left");
  });
});

describe("Tab", () => {
  async function complete(text: string, cursor = text.length): Promise<string> {
    store.dispatch({ type: "set-input", text, cursor });
    await completeInput(driver);
    const { editor } = store.state();
    return `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`;
  }

  it("completes a command, as far as it is certain", async () => {
    expect(await complete("/thi")).toBe("/think |");
    expect(await complete("/s")).toBe("/s|");
    expect(store.state().notice).toContain("/save  /system  /set");
    expect(await complete("/zzz")).toBe("/zzz|");
  });

  it("completes arguments: settings, chats, commands", async () => {
    expect(await complete("/set keep")).toBe("/set keep-thoughts |");
    expect(await complete("/help reg")).toBe("/help regen |");
    await driver.chat.setName("my chat");
    await driver.chat.add({ role: "user", text: "x" });
    expect(await complete("/load my")).toBe("/load my chat |");
  });

  it("completes file names, in a message too, with spaces and folders", async () => {
    await mkdir(path.join(folder, "sub folder"));
    await writeFile(path.join(folder, "sub folder", "filé 1.txt"), "");
    await writeFile(path.join(folder, "sub folder", "filé 2.txt"), "");
    expect(await complete(`/read ${folder}/su`)).toBe(`/read ${folder}/sub folder/|`);
    expect(await complete(`/read ${folder}/sub folder/`)).toBe(`/read ${folder}/sub folder/filé |`);
    expect(await complete(`look at ${folder}/su, please`, `look at ${folder}/su`.length)).toBe(
      `look at ${folder}/sub folder/|, please`,
    );
    expect(await complete("no path here")).toBe("no path here|");
  });
});
