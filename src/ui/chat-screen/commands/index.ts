import type { SlashCommand } from "./command.js";
import { conversationCommands } from "./conversation-commands.js";
import { helpCommand } from "./help-command.js";
import { infoCommands } from "./info-commands.js";
import { leaveCommand } from "./leave-command.js";
import { settingCommands } from "./setting-commands.js";
import { speakCommand } from "./speak-command.js";

/** Every slash command, in the order of /help. */
export const commands: readonly SlashCommand[] = [
  helpCommand(() => commands),
  ...conversationCommands,
  ...settingCommands,
  ...infoCommands,
  speakCommand,
  leaveCommand,
];

export function findCommand(name: string): SlashCommand | undefined {
  return commands.find(({ names }) => names.includes(name.toLowerCase()));
}
