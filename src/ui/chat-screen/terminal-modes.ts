import { writeSync } from "node:fs";

const PASTE_ON = "\u001b[?2004h";
/** bracketed paste off, synchronised update off, cursor shown, plain text */
const RESTORED = "\u001b[?2004l\u001b[?2026l\u001b[?25h\u001b[0m";

/**
 * The modes of the terminal that the screen needs, and their end however the process ends: also when it is left by an
 * error or a signal, and nothing else runs any more. Raw mode is Ink's; Node resets it at exit.
 */
export class TerminalModes {
  private isOn = false;
  private readonly onExit = () => this.restore();

  constructor(private readonly stdout: NodeJS.WriteStream) {}

  enter(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.stdout.write(PASTE_ON);
    process.once("exit", this.onExit);
  }

  restore(): void {
    if (!this.isOn) return;
    this.isOn = false;
    process.off("exit", this.onExit);
    try {
      writeSync((this.stdout as NodeJS.WriteStream & { fd: number }).fd, RESTORED);
    } catch {
      // the terminal is gone
    }
  }
}
