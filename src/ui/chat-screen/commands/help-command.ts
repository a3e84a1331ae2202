import { KEY_HELP } from "../input/key-bindings.js";
import type { SlashCommand } from "./command.js";

/** @param list the commands, which know this one among them */
export function helpCommand(list: () => readonly SlashCommand[]): SlashCommand {
  return {
    names: ["help", "?"],
    argument: "[COMMAND|keys]",
    summary: "the commands and keys, or one command",
    complete: () => ["keys", ...list().map(({ names }) => names[0])],
    run({ argument, say }) {
      const wanted = argument.replace(/^\//, "").toLowerCase();
      if (wanted === "keys" || wanted === "shortcuts") return say(...keyLines());
      if (wanted === "") {
        return say(...aligned(list().map((one) => [usage(one), one.summary])), "", ...keyLines());
      }
      const command = list().find(({ names }) => names.includes(wanted));
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

function keyLines(): string[] {
  return aligned(KEY_HELP);
}

export function aligned(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, meaning]) => `${name.padEnd(width)}  ${meaning}`);
}
