import { UserError } from "../errors.js";

/** A list of more is cut: the file is no configuration then. */
const MOST_SHOWN = 20;

/** What is wrong with the values of one configuration, so that all of it is said at once. */
export class ConfigProblems {
  /** by the path of the key: one problem per value */
  private readonly faults = new Map<string, string>();
  private isReplaced = false;

  constructor(private readonly file: string) {}

  /** A value that is wrong whatever the others are. What is read after it may work with a default in its place. */
  wrong(path: string, fault: string): void {
    this.isReplaced = true;
    if (!this.faults.has(path)) this.faults.set(path, fault);
  }

  /** A value that does not go with others. Not said after a wrong value: the others may be its replacement. */
  clash(path: string, fault: string): void {
    if (!this.isReplaced && !this.faults.has(path)) this.faults.set(path, fault);
  }

  /** @throws UserError CONFIG_VALUE (exit 65) that lists everything, if there is anything */
  throwIfAny(): void {
    if (this.faults.size === 0) return;
    const all = Array.from(this.faults, ([path, fault]) => `"${path}" ${fault}`);
    const shown = all.slice(0, MOST_SHOWN).join("; ");
    const rest = all.length > MOST_SHOWN ? `; and ${all.length - MOST_SHOWN} more` : "";
    throw new UserError(
      "badFile",
      "CONFIG_VALUE",
      `${this.file}: ${all.length === 1 ? "" : `${all.length} values are wrong: `}${shown}${rest}`,
      "Check the checkpoint's config.json against the one its author published.",
    );
  }
}
