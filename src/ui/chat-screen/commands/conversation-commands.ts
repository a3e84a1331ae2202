import { UserError } from "../../../engine/errors.js";
import type { ChatDriver } from "../chat-driver.js";
import { safeLine } from "../../safe-text.js";
import type { SlashCommand } from "./command.js";
import { readCommand } from "./read-command.js";
import { savedItems } from "../saved-items.js";

const clear: SlashCommand = {
  names: ["clear", "new"],
  summary: "begin a new chat; this one stays saved",
  run({ driver, say }) {
    const { system } = driver.chat.content;
    driver.turnTo(driver.chats.begin({ model: driver.engine.name, system }));
    say("a new chat");
  },
};

const regen: SlashCommand = {
  names: ["regen", "retry"],
  summary: "answer the last message again",
  async run({ driver }) {
    const { turns } = driver.chat;
    const question = turns.findLastIndex(({ role }) => role === "user");
    if (question < 0) throw nothingSaid();
    if (question < turns.length - 1) await driver.save(() => driver.chat.keepFirst(question + 1));
    await driver.answer();
  },
};

const undo: SlashCommand = {
  names: ["undo"],
  summary: "take the last message and its answer back",
  async run({ driver, say }) {
    await takeBack(driver);
    say(`taken back; ${driver.chat.turns.length} turns are left`);
  },
};

const edit: SlashCommand = {
  names: ["edit"],
  summary: "take the last message back into the input, to send it changed",
  async run({ driver }) {
    const text = await takeBack(driver);
    driver.store.dispatch({ type: "set-input", text });
  },
};

/** @returns the text of the last message, which is no longer in the conversation */
async function takeBack(driver: ChatDriver): Promise<string> {
  const { turns } = driver.chat;
  const question = turns.findLastIndex(({ role }) => role === "user");
  const turn = turns[question];
  if (turn === undefined) throw nothingSaid();
  await driver.save(() => driver.chat.keepFirst(question));
  driver.store.dispatch({ type: "status", status: { contextUsed: undefined } });
  return turn.text;
}

function nothingSaid(): UserError {
  return new UserError("usage", "CHAT_EMPTY", "Nothing has been said yet.");
}

const save: SlashCommand = {
  names: ["save"],
  argument: "NAME",
  summary: "give this chat a name; it saves itself in any case",
  async run({ argument, driver, say }) {
    if (argument === "") throw new UserError("usage", "CHAT_NAME", "/save takes a name.", "/save sorting");
    const taken = (await driver.chats.list()).find(({ content }) => content.name === argument);
    if (taken !== undefined && taken.path !== driver.chat.path) {
      throw new UserError(
        "usage",
        "CHAT_NAME",
        `Another chat has the name ${argument}.`,
        "Choose another one.",
      );
    }
    await driver.save(() => driver.chat.setName(argument));
    const later = driver.chat.turns.length === 0 ? " (with the first message)" : "";
    say(`saved as ${safeLine(argument)}${later}: ${safeLine(driver.chat.path)}`);
  },
};

const load: SlashCommand = {
  names: ["load"],
  argument: "NAME",
  summary: "go on with a saved chat: its name, its id, or the beginning of the id",
  complete: async (driver) => (await driver.chats.list()).map(({ id, content }) => content.name ?? id),
  async run({ argument, driver, say }) {
    if (argument === "")
      throw new UserError("usage", "CHAT_NAME", "/load takes a name.", "/chats lists them.");
    const chat = await driver.chats.open(argument);
    driver.turnTo(chat);
    driver.append(...savedItems(chat.turns));
    say("", `loaded ${safeLine(argument)}: ${chat.turns.length} turns`);
  },
};

/** Chats that /chats lists. */
const LISTED = 30;

const chats: SlashCommand = {
  names: ["chats", "sessions"],
  summary: "the saved chats, newest first",
  async run({ driver, say }) {
    const list = await driver.chats.list();
    if (list.length === 0) return say("there are no saved chats");
    say(
      ...list.slice(0, LISTED).map(({ id, modified, content }) => {
        const first = content.turns.find(({ role }) => role === "user")?.text ?? "";
        const mark = id === driver.chat.id ? "*" : " ";
        const when = modified.toISOString().slice(0, 16).replace("T", " ");
        const name = content.name === undefined ? id : safeLine(content.name);
        return `${mark} ${name}  ${when}  ${content.turns.length} turns  ${safeLine(first.trim(), { maxLength: 50 })}`;
      }),
      ...(list.length > LISTED ? [`  and ${list.length - LISTED} more`] : []),
    );
  },
};

export const conversationCommands: readonly SlashCommand[] = [
  clear,
  regen,
  undo,
  edit,
  readCommand,
  save,
  load,
  chats,
];
