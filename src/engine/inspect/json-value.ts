/** A value of the strict JSON reader as JSON.stringify takes it: maps as objects, whole numbers as numbers. */
export function jsonValue(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, one]) => [String(key), jsonValue(one)]));
  }
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value;
}
