/** Messages sent before, the newest last, and where in them the Up key has gone. */
export interface HistoryState {
  readonly entries: readonly string[];
  /** entries.length: at the message being written */
  readonly position: number;
  /** the message being written, while an older one is shown */
  readonly draft: string;
}

export function historyOf(entries: readonly string[]): HistoryState {
  return { entries, position: entries.length, draft: "" };
}

/** @returns the history with a message at its end; the same message twice in a row is kept once */
export function remember(history: HistoryState, message: string): HistoryState {
  const entries = history.entries.at(-1) === message ? history.entries : [...history.entries, message];
  return historyOf(entries);
}

/** @returns undefined where there is nothing further that way */
export function recall(
  history: HistoryState,
  direction: -1 | 1,
  text: string,
): { history: HistoryState; text: string } | undefined {
  const position = history.position + direction;
  if (position < 0 || position > history.entries.length) return undefined;
  const draft = history.position === history.entries.length ? text : history.draft;
  return { history: { ...history, position, draft }, text: history.entries[position] ?? draft };
}

/** A search through the history, as Ctrl-R in a shell. */
export interface HistorySearch {
  readonly query: string;
  /** index of the entry found; undefined: none */
  readonly found: number | undefined;
}

/** @param before only entries before this one */
export function searchHistory(entries: readonly string[], query: string, before: number): HistorySearch {
  const wanted = query.toLowerCase();
  for (let i = Math.min(before, entries.length) - 1; query !== "" && i >= 0; i--) {
    if (entries[i]!.toLowerCase().includes(wanted)) return { query, found: i };
  }
  return { query, found: undefined };
}
