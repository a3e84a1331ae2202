/** The golden section: its multiples lie apart from each other, however many there are. */
const STEP = (Math.sqrt(5) - 1) / 2;

/**
 * Ids of a prompt that says nothing. They lie all over the vocabulary, because the same few would be kind to caches.
 * @param number prompts with other numbers begin with other ids, as long as the vocabulary has some left
 */
export function promptIds(length: number, vocabulary: number, number: number): number[] {
  const step = Math.max(1, Math.floor(STEP * vocabulary));
  return Array.from({ length }, (_, i) => (number + i * step) % vocabulary);
}
