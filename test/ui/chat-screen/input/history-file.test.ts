import { appendFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HistoryFile } from "../../../../src/ui/chat-screen/input/history-file.js";
import { historyOf, recall, remember, searchHistory } from "../../../../src/ui/chat-screen/input/history.js";
import { temporaryFolder } from "../../../helpers/models.js";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = path.join(folder, "data", "history.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the history file", () => {
  it("keeps messages of several lines, for the owner alone", async () => {
    const history = new HistoryFile(file);
    expect(await history.read()).toEqual([]);
    await history.append("one\ntwo");
    await history.append("日本 🎉");
    expect(await new HistoryFile(file).read()).toEqual(["one\ntwo", "日本 🎉"]);
    if (process.platform !== "win32") expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("passes over lines that are damaged, and very long messages", async () => {
    const history = new HistoryFile(file);
    await history.append("good");
    await appendFile(file, '{"no": 1}\n"torn');
    await history.append("x".repeat(100_000));
    expect(await history.read()).toEqual(["good"]);
  });

  it("is shortened when it has become long", async () => {
    const history = new HistoryFile(file);
    await history.append("first");
    await writeFile(file, Array.from({ length: 5000 }, (_, i) => `"message ${i}"\n`).join(""));
    const entries = await history.read();
    expect([entries.length, entries.at(-1)]).toEqual([2000, "message 4999"]);
    expect((await readFile(file, "utf8")).split("\n").length).toBe(2001);
  });

  it("is no reason to stop where it cannot be written", async () => {
    await writeFile(path.join(folder, "data"), "a file in the folder's place");
    const history = new HistoryFile(file);
    await history.append("lost");
    expect(await history.read()).toEqual([]);
  });
});

describe("the history", () => {
  it("does not keep the same message twice in a row", () => {
    const history = remember(remember(historyOf(["a"]), "b"), "b");
    expect(history.entries).toEqual(["a", "b"]);
  });

  it("goes back, stops at the oldest, and comes back to the draft", () => {
    const first = recall(historyOf(["a", "b"]), -1, "draft")!;
    const second = recall(first.history, -1, first.text)!;
    expect([first.text, second.text]).toEqual(["b", "a"]);
    expect(recall(second.history, -1, second.text)).toBeUndefined();
    const down = recall(recall(second.history, 1, second.text)!.history, 1, "b")!;
    expect(down.text).toBe("draft");
  });

  it("is searched backwards, whatever the case", () => {
    const entries = ["Git log", "ls", "git status"];
    expect(searchHistory(entries, "GIT", Infinity).found).toBe(2);
    expect(searchHistory(entries, "git", 2).found).toBe(0);
    expect(searchHistory(entries, "none", Infinity).found).toBeUndefined();
  });
});
