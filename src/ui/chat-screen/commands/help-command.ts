import { KEY_HELP } from "../input/key-bindings.js";
import type { SlashCommand } from "./command.js";

/** @param known the commands, which know this one among them */
export function helpCommand(known: () => readonly SlashCommand[]): SlashCommand {
  return {
    names: ["help", "?"],
    argument: "[COMMAND|keys]",
    summary: "the commands and keys, or one command",
    complete: () => ["keys", ...known().map(({ names }) => names[0])],
    run({ argument, say, list }) {
      const wanted = argument.replace(/^\//, "").toLowerCase();
      if (wanted === "keys" || wanted === "shortcuts") return list(KEY_HELP);
      if (wanted === "") {
        list(known().map((one) => [usage(one), one.summary]));
        say("");
        return list(KEY_HELP);
      }
      const command = known().find(({ names }) => names.includes(wanted));
      if (command === undefined) return say(`There is no command /${wanted}. /help lists them.`);
      const others = command.names.slice(1).map((name) => `/${name}`);
      say(
        `${usage(command)}: ${command.summary}`,
        ...(command.details ?? []).map((line) => `  ${line}`),
        ...(others.length > 0 ? [`  also: ${others.join(", ")}`] : []),
      );
    },
  };
}

function usage({ names, argument }: SlashCommand): string {
  return `/${names[0]}${argument === undefined ? "" : ` ${argument}`}`;
}
