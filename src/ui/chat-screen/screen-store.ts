import { reduceScreen, type ScreenAction, type ScreenState } from "./screen-state.js";

/** Holds the state of the screen outside React, so that what answers and what draws do not know each other. */
export class ScreenStore {
  private readonly listeners = new Set<() => void>();

  constructor(private current: ScreenState) {}

  readonly state = (): ScreenState => this.current;

  dispatch(action: ScreenAction): void {
    const next = reduceScreen(this.current, action);
    if (next === this.current) return;
    this.current = next;
    for (const listener of this.listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
