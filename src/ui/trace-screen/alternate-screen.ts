import { writeSync } from "node:fs";

const ENTER = "\u001b[?1049h\u001b[H";
const LEAVE = "\u001b[?1049l";

/** The terminal's second screen: what was there before comes back, however the process ends. */
export class AlternateScreen {
  private isOn = false;
  private readonly onExit = () => this.leave();

  constructor(private readonly stdout: NodeJS.WriteStream & { fd: number }) {}

  enter(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.stdout.write(ENTER);
    process.once("exit", this.onExit);
  }

  leave(): void {
    if (!this.isOn) return;
    this.isOn = false;
    process.off("exit", this.onExit);
    try {
      writeSync(this.stdout.fd, LEAVE);
    } catch {
      // the terminal is gone
    }
  }
}
