/** The numbers of all parts in one array, in their order: [frames, codebooks] pieces of codes become one sequence. */
export function joinIntegers(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
