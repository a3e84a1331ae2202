import type { ConfigRow } from "./config-table.js";
import { jsonValue } from "./json-value.js";
import type { ModelConfig } from "./model-config.js";

export interface ConfigDifference {
  readonly key: string;
  readonly meaning: string;
  /** Absent: this side does not have the key. */
  readonly left?: Pick<ConfigRow, "value" | "origin">;
  readonly right?: Pick<ConfigRow, "value" | "origin">;
}

export interface ConfigDiff {
  readonly differences: readonly ConfigDifference[];
  /** Keys whose values are equal. */
  readonly equal: number;
  /** Keys that were not compared, because one side keeps sizes only. */
  readonly unknown: number;
}

/**
 * Compares by value: a default and the same number in a file are equal. Where one side is a GGUF file that keeps
 * sizes only, the keys it cannot have are counted, not reported.
 */
export function diffConfigs(left: ModelConfig, right: ModelConfig): ConfigDiff {
  const [a, b] = [left, right].map(({ rows }) => new Map(rows.map((row) => [row.key, row])));
  const sparse = left.from === "metadata" || right.from === "metadata";
  const differences: ConfigDifference[] = [];
  let [equal, unknown] = [0, 0];
  for (const key of new Set([...a!.keys(), ...b!.keys()])) {
    const [one, other] = [a!.get(key), b!.get(key)];
    if (!one || !other) {
      if (sparse) unknown += 1;
      else differences.push(differenceOf(key, one, other));
    } else if (JSON.stringify(jsonValue(one.value)) === JSON.stringify(jsonValue(other.value))) equal += 1;
    else differences.push(differenceOf(key, one, other));
  }
  return { differences, equal, unknown };
}

function differenceOf(key: string, left?: ConfigRow, right?: ConfigRow): ConfigDifference {
  const side = (row: ConfigRow) => ({ value: jsonValue(row.value), origin: row.origin });
  return {
    key,
    meaning: (left ?? right)!.meaning,
    ...(left ? { left: side(left) } : {}),
    ...(right ? { right: side(right) } : {}),
  };
}
