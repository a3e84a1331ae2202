import type { ChatDriver } from "../chat-driver.js";
import type { ScreenPowers } from "../screen-keys.js";

/** A slash command. */
export interface SlashCommand {
  /** without the slash; the first is the one that is shown */
  readonly names: readonly [string, ...string[]];
  /** how its argument is written: "NAME VALUE" */
  readonly argument?: string;
  /** one line for /help */
  readonly summary: string;
  /** more lines for /help NAME */
  readonly details?: readonly string[];
  /** what Tab offers for the argument */
  readonly complete?: "files" | ((driver: ChatDriver) => readonly string[] | Promise<readonly string[]>);
  run(context: CommandContext): void | Promise<void>;
}

export interface CommandContext {
  /** what stands behind the name, without white space around it */
  readonly argument: string;
  readonly driver: ChatDriver;
  readonly powers: ScreenPowers;
  /** Writes lines into the transcript. */
  say(...lines: string[]): void;
  /** Writes names and their meanings, in two columns. */
  list(pairs: readonly (readonly [string, string])[]): void;
}
