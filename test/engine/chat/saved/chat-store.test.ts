import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChatStore } from "../../../../src/engine/chat/saved/chat-store.js";
import type { AnswerTurn, Turn } from "../../../../src/engine/chat/saved/turns.js";
import { temporaryFolder } from "../../../helpers/models.js";

const user = (text: string): Turn => ({ role: "user", text });
const answer: AnswerTurn = {
  role: "assistant",
  text: "né 🎉\u001b[31m",
  thinking: "hm\n",
  raw: "<think>\nhm\n</think>\nné 🎉\u001b[31m",
  startedInsideThinking: false,
  stopToken: "<|eot_id|>",
  finishReason: "stop",
  family: "cwm",
  model: "m",
};

let folder: string;
let store: ChatStore;
beforeEach(async () => {
  folder = await temporaryFolder();
  store = new ChatStore(path.join(folder, "chats"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const files = async () => (await readdir(path.join(folder, "chats")).catch(() => [])).sort();

describe("saved chats", () => {
  it("come back as they were: turns byte for byte, system prompt, name", async () => {
    const chat = store.begin({ model: "m", system: "be brief" });
    await chat.setName("mine");
    expect(await files()).toEqual([]);
    await chat.add(user("a\r\n\u0000b"));
    await chat.add(answer);
    const { content } = await store.open("mine");
    expect(content).toEqual(chat.content);
    expect(content.turns).toEqual([user("a\r\n\u0000b"), answer]);
    expect((await store.newest()).content).toEqual(content);
  });

  it("forget what was taken back, though the file only grows", async () => {
    const chat = store.begin({ model: "m" });
    for (const text of ["one", "two", "three"]) await chat.add(user(text));
    await chat.keepFirst(1);
    await chat.setSystem("other");
    await chat.setSystem(undefined);
    const { content } = await store.open(chat.id);
    expect(content.turns).toEqual([user("one")]);
    expect(content.system).toBeUndefined();
    expect(await readFile(chat.path, "utf8")).toContain("three");
  });

  it("survive a crash in the middle of a line", async () => {
    const chat = store.begin({ model: "m" });
    await chat.add(user("one"));
    await appendFile(chat.path, '{"type":"turn","ti');
    const again = await store.open(chat.id);
    await again.add(user("two"));
    expect((await store.open(chat.id)).turns).toEqual([user("one"), user("two")]);
  });

  it("are found by the beginning of the id, if only one begins so", async () => {
    const [one, two] = [store.begin({ model: "m" }), store.begin({ model: "m" })];
    await one.add(user("one"));
    await two.add(user("two"));
    expect((await store.open(one.id.slice(0, -1))).id).toBe(one.id);
    await expect(store.open(one.id.slice(0, 4))).rejects.toMatchObject({ code: "CHAT_AMBIGUOUS" });
    await expect(store.open("nothing")).rejects.toMatchObject({ code: "CHAT_NOT_FOUND" });
    await expect(store.open("")).rejects.toMatchObject({ code: "CHAT_NOT_FOUND" });
  });

  it("name file and line of what is wrong, and leave such a file out of the list", async () => {
    const chat = store.begin({ model: "m" });
    await chat.add(user("one"));
    await appendFile(chat.path, '{"type":"turn","time":"t","turn":{"role":"user"}}\n');
    await expect(store.open(chat.id)).rejects.toMatchObject({
      code: "CHAT_FILE",
      message: expect.stringMatching(/line 3.*"text" must be a text/) as string,
    });
    expect(await store.list()).toEqual([]);
    await expect(store.newest()).rejects.toMatchObject({ code: "NO_CHATS" });
  });

  it("are never mixed: a chat that another process has written to goes on in a file of its own", async () => {
    const first = store.begin({ model: "m" });
    await first.add(user("one"));
    await first.setName("shared");
    const second = await store.open(first.id);
    await second.add(user("of the second"));
    await first.add(user("of the first"));
    expect(first.path).not.toBe(second.path);
    await first.add(answer);
    await second.add(answer);
    expect((await files()).length).toBe(2);
    expect((await store.open(second.id)).turns).toEqual([user("one"), user("of the second"), answer]);
    expect((await store.open(first.id)).turns).toEqual([user("one"), user("of the first"), answer]);
    // the name stays where it was given
    expect((await store.open("shared")).path).toBe(second.path);
  });

  it("are written anew where the file was removed meanwhile", async () => {
    const chat = store.begin({ model: "m" });
    await chat.add(user("one"));
    await rm(chat.path);
    await chat.add(answer);
    expect((await store.open(chat.id)).turns).toEqual([user("one"), answer]);
  });

  it("say where they could not be saved, and are whole again with the next turn that can", async () => {
    await writeFile(path.join(folder, "chats"), "a file in the folder's place");
    const chat = store.begin({ model: "m" });
    await expect(chat.add(user("one"))).rejects.toMatchObject({ name: "UserError" });
    await rm(path.join(folder, "chats"));
    await chat.add(answer);
    expect((await store.open(chat.id)).turns).toEqual([user("one"), answer]);
  });
});
