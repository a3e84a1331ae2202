/** Tokens that are evaluated as one sequence; tokens[i] is scored when i >= first. */
export interface ScoreWindow {
  tokens: Int32Array;
  first: number;
}

export interface WindowOptions {
  /** A text of no more tokens, prefix included, is one window and scored from its second token on. */
  wholeSize: number;
  /** Size of the windows of longer texts, prefix included; no larger than wholeSize. */
  windowSize: number;
  /** Text tokens from the beginning of a window to that of the next; undefined: no window overlaps another. */
  stride: number | undefined;
  /** Stands at the beginning of every window. */
  prefix: readonly number[];
}

/**
 * Cuts a stream of tokens into windows. In a text of more than one window a token is scored once, in the first
 * window where at least half of the window stands before it: of windows that do not overlap, the second halves. A
 * last window ends where the text ends. Holds two windows of tokens.
 */
export class ScoreWindows {
  private readonly body: number;
  private readonly stride: number;
  private held: number[] = [];
  /** Absolute position of held[0]. */
  private base = 0;
  /** Where the next window begins, and where the last one ended. */
  private next = 0;
  private seen = 0;

  constructor(private readonly options: WindowOptions) {
    this.body = options.windowSize - options.prefix.length;
    this.stride = Math.min(options.stride ?? this.body, this.body);
  }

  /** Is the text longer than one window may be? */
  get isLong(): boolean {
    return this.base + this.held.length > this.options.wholeSize - this.options.prefix.length;
  }

  *push(tokens: readonly number[]): Generator<ScoreWindow> {
    for (const token of tokens) this.held.push(token);
    if (!this.isLong) return;
    while (this.base + this.held.length - this.next >= this.body) yield this.windowAt(this.next);
  }

  *end(): Generator<ScoreWindow> {
    const length = this.base + this.held.length;
    if (!this.isLong) {
      const tokens = Int32Array.from([...this.options.prefix, ...this.held]);
      if (this.held.length > 0 && tokens.length > 1) yield { tokens, first: 1 };
    } else if (length > this.seen) {
      yield this.windowAt(length - this.body);
    }
  }

  private windowAt(start: number): ScoreWindow {
    const { prefix, windowSize } = this.options;
    const tokens = Int32Array.from([
      ...prefix,
      ...this.held.slice(start - this.base, start - this.base + this.body),
    ]);
    const unseen = Math.max(0, this.seen - start) + prefix.length;
    this.seen = start + this.body;
    this.next = start + this.stride;
    // the last window may begin anywhere after the beginning of this one
    this.held = this.held.slice(start - this.base);
    this.base = start;
    return { tokens, first: Math.max(Math.ceil(windowSize / 2), unseen) };
  }
}
