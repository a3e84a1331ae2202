import { UserError } from "../../../engine/errors.js";
import { safeLine, safeText } from "../../safe-text.js";
import { changeSetting, SETTINGS } from "../settings.js";
import type { SlashCommand } from "./command.js";

const set: SlashCommand = {
  names: ["set"],
  argument: "[NAME VALUE]",
  summary: "change how answers are made; alone it lists what can be set",
  details: [
    "/set temp 0.7",
    "/set temp default   back to what the checkpoint asks for",
    ...SETTINGS.map(({ name, meaning }) => `${name}: ${meaning}`),
  ],
  complete: () => SETTINGS.map(({ name }) => name),
  run({ argument, driver, say, list }) {
    const [name = "", value, ...more] = argument.replace(/^parameter\s+/, "").split(/\s+/);
    if (name === "") {
      return list(SETTINGS.map((one) => [one.name, `${one.show(driver.settings).padEnd(9)}${one.meaning}`]));
    }
    if (name === "system")
      return system.run({
        argument: argument.slice("system".length).trim(),
        driver,
        say,
        list,
        powers: never,
      });
    if (name === "think" || name === "nothink") return setThinking(driver, name === "think", say);
    if (value === undefined || more.length > 0) {
      throw new UserError("usage", "SETTING_VALUE", "/set takes a name and a value.", "/set temp 0.7");
    }
    driver.settings = changeSetting(driver.settings, name, value);
    driver.store.dispatch({ type: "status", status: { overflow: driver.settings.overflow } });
    say(`${safeLine(name)} is ${safeLine(value)} now`);
  },
};

const never = {
  leave: () => undefined,
  redraw: () => undefined,
  suspend: () => Promise.resolve(),
  openEditor: () => Promise.resolve(undefined),
  complete: () => undefined,
  remember: () => undefined,
};

const system: SlashCommand = {
  names: ["system"],
  argument: "[TEXT|default|none]",
  summary: "show or change the system prompt",
  details: ["default: the one of the model's family", "none: no system prompt at all"],
  async run({ argument, driver, say }) {
    if (argument !== "") {
      const text = argument === "default" ? undefined : argument === "none" ? "" : argument;
      await driver.save(() => driver.chat.setSystem(text));
    }
    const { system: own } = driver.chat.content;
    const prompt =
      own ?? driver.engine.facts.family.chat?.defaultSystemPrompt({ thinking: driver.settings.thinking });
    if (prompt === undefined || prompt === "") say("there is no system prompt");
    else say(own === undefined ? "the family's own system prompt:" : "the system prompt:", safeText(prompt));
  },
};

function setThinking(
  driver: Parameters<SlashCommand["run"]>[0]["driver"],
  thinking: boolean,
  say: (...lines: string[]) => void,
): void {
  if (driver.engine.facts.family.chat?.thinking === undefined) {
    return say(`${driver.engine.facts.family.title} models do not think aloud`);
  }
  driver.settings = { ...driver.settings, thinking };
  say(thinking ? "the next answers begin with reasoning" : "the next answers come without reasoning");
}

export const settingCommands: readonly SlashCommand[] = [
  system,
  set,
  {
    names: ["think"],
    summary: "let the model reason first",
    run: ({ driver, say }) => setThinking(driver, true, say),
  },
  {
    names: ["nothink"],
    summary: "answers without reasoning",
    run: ({ driver, say }) => setThinking(driver, false, say),
  },
];
