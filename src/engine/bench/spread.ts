import { rounded } from "../system/rounded.js";

/** What several rounds measured of one thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The spread of every figure over the rounds.
 * @param rounds at least one; each with the same names
 */
export function spreads<Name extends string>(
  rounds: readonly Readonly<Record<Name, number>>[],
): Record<Name, Spread> {
  const names = Object.keys(rounds[0] ?? {}) as Name[];
  const entries = names.map((name) => [name, spreadOf(rounds.map((round) => round[name]))] as const);
  return Object.fromEntries(entries) as Record<Name, Spread>;
}

/** The medians alone. */
export function medians<Name extends string>(figures: Readonly<Record<Name, Spread>>): Record<Name, number> {
  const entries = Object.entries<Spread>(figures).map(([name, { median }]) => [name, median] as const);
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median: rounded(median), min: sorted[0]!, max: sorted.at(-1)! };
}
