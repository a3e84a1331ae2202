/**
 * Chooses one of a few candidates as sampling would: the likeliest at temperature 0, else by the dice, among those
 * that make up top-p. A model gives its events far more than everything else; where it does not, they are still all
 * that may come.
 * @param probabilities of the candidates, in any scale
 * @returns index of the candidate
 */
export function chooseEvent(
  probabilities: readonly number[],
  { temperature, topP, seed }: { temperature: number; topP: number; seed: number },
): number {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  const best = order[0]!;
  if (temperature <= 0 || probabilities[best]! <= 0) return best;
  const weights = order.map((i) => (probabilities[i]! / probabilities[best]!) ** (1 / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let sum = 0;
  while (kept < weights.length && (kept === 0 || sum < topP * total)) sum += weights[kept++]!;
  let left = uniform(seed) * sum;
  for (let i = 0; i < kept; i++) {
    left -= weights[i]!;
    if (left < 0) return order[i]!;
  }
  return best;
}

/** One number from 0 to 1 for a seed; the mixing function of SplitMix32. */
function uniform(seed: number): number {
  let x = (seed + 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}
