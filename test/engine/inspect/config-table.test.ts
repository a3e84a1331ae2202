import { describe, expect, it } from "vitest";
import { FAMILIES } from "../../../src/engine/families/index.js";
import { configTable, type ConfigRow } from "../../../src/engine/inspect/config-table.js";
import { configTexts, referenceConfigs } from "../families/texts.js";

function tableOf(given: Record<string, unknown>): Map<string, ConfigRow> {
  const family = FAMILIES.find(({ name }) => name === given["model_type"])!;
  const listed = given["architectures"] as string[] | undefined;
  const { config } = family.describe(configTexts(given), listed?.[0] ?? family.architectures[0]!);
  return new Map(configTable(config).map((row) => [row.key, row]));
}

/** Nested objects as dotted keys, but for names of classes, which are one value. */
function flattened(object: Record<string, unknown>, prefix = ""): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  for (const [key, value] of Object.entries(object)) {
    const isNested = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isNested && !/id2label|label2id/.test(key)) {
      for (const [inner, one] of flattened(value as Record<string, unknown>, `${prefix}${key}.`))
        flat.set(inner, one);
    } else flat.set(prefix + key, value);
  }
  return flat;
}

/** As JSON would have it; lists and numbered objects of class names are the same thing. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  const isList = keys.length > 0 && keys.every((key, i) => key === String(i));
  if (isList) return Object.values(value).map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/**
 * What a table need not hold: the version of the library that loads, copies under another name, and a name for
 * frame_rate.
 */
const NOT_VALUES = /(^|\.)(transformers_version|_frame_rate|rope_parameters\.type)$|^partial_rotary_factor$/;
/** transformers numbers classes in id2label as objects do; parley lists them. */
const same = (a: unknown, b: unknown): boolean =>
  JSON.stringify(sorted(plain(a))) === JSON.stringify(sorted(plain(b)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

describe.each(["cwm", "glm", "csm"])("the configuration table of %s", (family) => {
  it.each(referenceConfigs(family))(
    "holds what transformers holds after loading: %s",
    (_, { given, loaded }) => {
      const rows = tableOf(given);
      const wrong: string[] = [];
      for (const [key, value] of flattened(loaded)) {
        if (NOT_VALUES.test(key)) continue;
        const row = rows.get(key);
        if (!row || !same(row.value, value))
          wrong.push(
            `${key}: ${JSON.stringify(value)} != ${row ? JSON.stringify(plain(row.value)) : "absent"}`,
          );
      }
      expect(wrong).toEqual([]);
      for (const { meaning } of rows.values()) expect(meaning).not.toBe("");
    },
  );
});

describe("configTable", () => {
  it("gives one table for both layouts", () => {
    const scaling = {
      rope_type: "llama3",
      factor: 4,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 512,
    };
    const base = { model_type: "cwm", architectures: ["CwmForCausalLM"], num_hidden_layers: 3 };
    const older = tableOf({ ...base, torch_dtype: "bfloat16", rope_theta: 5000, rope_scaling: scaling });
    const newer = tableOf({ ...base, dtype: "bfloat16", rope_parameters: { ...scaling, rope_theta: 5000 } });
    const comparable = (rows: Map<string, ConfigRow>): unknown[] =>
      [...rows.values()].map(({ key, value, origin, meaning }) => [key, value, origin, meaning]).sort();
    expect(comparable(older)).toEqual(comparable(newer));
  });

  it("says which values the file gives, which the class, and which follow", () => {
    const rows = tableOf({
      model_type: "cwm",
      hidden_size: 96,
      num_attention_heads: 6,
      num_key_value_heads: null,
      head_dim: null,
    });
    expect(rows.get("hidden_size")?.origin).toBe("file");
    expect(rows.get("vocab_size")?.origin).toBe("default");
    expect(rows.get("head_dim")).toMatchObject({ value: 16, origin: "derived" });
    expect(rows.get("num_key_value_heads")).toMatchObject({ value: 6, origin: "derived" });
  });
});
