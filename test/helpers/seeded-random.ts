/** Random choices that are the same in every run. */
export interface Random {
  /** A whole number from 0 up to, not including, the limit. */
  integer(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  const next = seededNumbers(seed);
  const integer = (limit: number): number => Math.floor(next() * limit);
  return { integer, pick: (items) => items[integer(items.length)]! };
}

/** Numbers from 0 to 1: mulberry32, a generator of 32-bit state (Tommy Ettinger, public domain). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
