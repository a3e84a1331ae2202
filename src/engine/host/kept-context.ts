/** What native contexts have in common. */
interface Native {
  /** Ends a call that runs, soon. */
  abort(): void;
  dispose(): void;
}

/** A native context that stays for later calls, until one needs a larger one or was aborted. */
export class KeptContext<Context extends Native> {
  private kept: { readonly context: Context; readonly size: number } | undefined;

  /**
   * Runs work on a context for at least `size` tokens.
   * @param create makes one for exactly so many
   * @throws what the work throws; the signal's reason when aborted
   */
  async *use<Event, Result>(
    size: number,
    create: (size: number) => Context,
    signal: AbortSignal,
    work: (context: Context) => AsyncGenerator<Event, Result>,
  ): AsyncGenerator<Event, Result> {
    if (!this.kept || this.kept.size < size) {
      this.dispose();
      this.kept = { context: create(size), size };
    }
    const { context } = this.kept;
    const abort = (): void => context.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      return yield* work(context);
    } catch (error) {
      if (signal.aborted) this.dispose();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  dispose(): void {
    this.kept?.context.dispose();
    this.kept = undefined;
  }
}
