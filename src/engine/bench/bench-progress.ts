/** Where a benchmark is, for a line of progress. */
export interface BenchProgress {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly unit: "tokens" | "steps";
}

/** "warm-up", "round 2 of 3". @param round 0 is the warm-up */
export function roundName(round: number, rounds: number): string {
  return round === 0 ? "warm-up" : `round ${round} of ${rounds}`;
}
