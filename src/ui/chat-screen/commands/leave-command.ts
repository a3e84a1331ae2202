import type { SlashCommand } from "./command.js";

export const leaveCommand: SlashCommand = {
  names: ["bye", "exit", "quit"],
  summary: "leave; the chat is saved already",
  run: ({ powers }) => powers.leave(),
};
