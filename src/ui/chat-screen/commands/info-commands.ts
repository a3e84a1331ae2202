import { UserError } from "../../../engine/errors.js";
import { formatBytes } from "../../../engine/system/format-bytes.js";
import { resolveSampling } from "../../chat-options.js";
import { describeReply } from "../../chat-stats.js";
import { safeLine, safeText } from "../../safe-text.js";
import { copyText } from "../copy-text.js";
import { turnMessage } from "../../../engine/chat/saved/turns.js";
import type { SlashCommand } from "./command.js";

const show: SlashCommand = {
  names: ["show"],
  argument: "[WHAT]",
  summary: "what the model is, how it samples, its system prompt or template",
  details: ["WHAT: info, parameters, system or template"],
  complete: () => ["info", "parameters", "system", "template"],
  run({ argument, driver, say, list }) {
    const { facts } = driver.engine;
    switch (argument || "info") {
      case "info":
        return list([
          ["model", safeLine(facts.name)],
          ["family", facts.family.title],
          ["file", safeLine(facts.path)],
          ["size", formatBytes(facts.bytes)],
          ["context", `${facts.contextLength} tokens at most`],
          [
            "window",
            facts.window === 0
              ? "none: every layer sees all of it"
              : `${facts.window} tokens on sliding layers`,
          ],
          ["layers", String(facts.layers)],
          ["vocabulary", String(facts.vocabulary)],
          ["chat", safeLine(driver.chat.path)],
        ]);
      case "parameters": {
        const sampling = resolveSampling(facts, driver.settings.sampling);
        const seed =
          driver.settings.sampling.seed === undefined ? "another one each time" : String(sampling.seed);
        return list(Object.entries({ ...sampling, seed }).map(([name, value]) => [name, String(value)]));
      }
      case "system": {
        const prompt = driver.chat.content.system ?? facts.family.chat?.defaultSystemPrompt(driver.settings);
        return say(prompt === undefined || prompt === "" ? "there is no system prompt" : safeText(prompt));
      }
      case "template":
        return say(safeText(facts.chatTemplate ?? "the model has no chat template"));
      default:
        throw new UserError(
          "usage",
          "SHOW_WHAT",
          `/show knows no ${argument}.`,
          "info, parameters, system, template",
        );
    }
  },
};

const model: SlashCommand = {
  names: ["model"],
  argument: "[MODEL]",
  summary: "go on with another model: a file, a folder, a Hub id or a bundled name",
  complete: "files",
  async run({ argument, driver, say }) {
    if (argument === "")
      return say(`${safeLine(driver.engine.facts.name)}: ${safeLine(driver.engine.facts.path)}`);
    await driver.switchModel(argument);
  },
};

const stats: SlashCommand = {
  names: ["stats"],
  summary: "times and speeds of the last answer",
  run({ driver, say }) {
    if (driver.lastReply === undefined) return say("there was no answer yet");
    say(...describeReply(driver.lastReply.reply, driver.lastReply.seed).split("\n"));
  },
};

const context: SlashCommand = {
  names: ["context", "tokens"],
  summary: "how many tokens the conversation takes, and what happens when the context is full",
  async run({ driver, list }) {
    const { facts, chat } = driver.engine;
    const messages = driver.chat.turns.map((turn) => turnMessage(turn, facts.family));
    const { contextSize } = driver.store.state().status;
    const used =
      messages.length === 0
        ? 0
        : (await chat.promptTokens({ kind: "messages", messages }, driver.conversation())).length;
    const policies = {
      error: "an error (/set overflow trim or shift changes that)",
      trim: "the oldest turns are left out, and you are told",
      shift: "the oldest turns are left out; in the middle of an answer the oldest tokens",
    };
    list([
      ["conversation", `${used} of ${contextSize} tokens in ${messages.length} turns`],
      ["when full", policies[driver.settings.overflow]],
      ["the model knows", `${facts.contextLength} tokens`],
    ]);
  },
};

const copy: SlashCommand = {
  names: ["copy"],
  summary: "copy the last answer to the clipboard",
  async run({ driver, say }) {
    const last = driver.chat.turns.findLast(({ role }) => role === "assistant");
    if (last === undefined) throw new UserError("usage", "CHAT_EMPTY", "There is no answer yet.");
    say(`copied ${last.text.length} characters ${await copyText(last.text)}`);
  },
};

export const infoCommands: readonly SlashCommand[] = [show, model, stats, context, copy];
