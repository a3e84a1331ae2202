import type { ChatDriver } from "../chat-driver.js";
import type { ScreenPowers } from "../screen-keys.js";
import { safeLine } from "../../safe-text.js";
import { findCommand } from "./index.js";

/** Runs a line such as "/set temp 0.7"; what goes wrong is said in the transcript. */
export async function runCommand(line: string, driver: ChatDriver, powers: ScreenPowers): Promise<void> {
  const [, name = "", argument = ""] = /^\/(\S+)\s*([\s\S]*)$/.exec(line) ?? [];
  const say = (...lines: string[]) => driver.append({ kind: "lines", lines });
  const list = (pairs: readonly (readonly [string, string])[]) => driver.append({ kind: "pairs", pairs });
  say("", `> ${safeLine(line, { maxLength: 500 })}`);
  const command = findCommand(name);
  if (command === undefined) {
    driver.append({
      kind: "note",
      tone: "error",
      text: `There is no command /${safeLine(name)}. /help lists them.`,
    });
    return;
  }
  try {
    await command.run({ argument: argument.trim(), driver, powers, say, list });
  } catch (error) {
    driver.fail(error);
  }
}
