/** A screen that Ink draws, and what belongs to it on the terminal. */
export interface Stage {
  readonly stdin: { setRawMode(on: boolean): unknown };
  /** Has nothing drawn where the screen is, or again what belongs there. */
  hide(hidden: boolean): void;
  /** Leaves the terminal as it was found. */
  leave(): void;
  /** Takes the terminal again. */
  enter(): void;
}

/** Takes a screen off the terminal for a while. */
export class Curtain {
  private onceDrawn: (() => void) | undefined;
  private isHidden = false;

  constructor(private readonly stage: Stage) {}

  /** To be called when Ink has drawn: it may have been something from before. */
  drawn({ isEmpty }: { isEmpty: boolean }): void {
    if (isEmpty || !this.isHidden) this.onceDrawn?.();
  }

  /** Resolves when Ink has drawn nothing, or the screen again. */
  async hide(hidden: boolean): Promise<void> {
    const isDrawn = new Promise<void>((resolve) => (this.onceDrawn = resolve));
    this.isHidden = hidden;
    this.stage.hide(hidden);
    await isDrawn;
    // Ink writes behind its onRender
    await new Promise(setImmediate);
  }

  /** Gives the terminal, as it was found, to another program. */
  async lend<Result>(use: () => Result | Promise<Result>): Promise<Result> {
    const { stage } = this;
    await this.hide(true);
    stage.leave();
    stage.stdin.setRawMode(false);
    try {
      return await use();
    } finally {
      stage.stdin.setRawMode(true);
      stage.enter();
      await this.hide(false);
    }
  }
}
