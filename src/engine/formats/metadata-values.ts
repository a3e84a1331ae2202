import type { GgufValue } from "./gguf.js";

/** Typed access to GGUF metadata; a value of another type counts as absent. */
export class MetadataValues {
  constructor(private readonly metadata: ReadonlyMap<string, GgufValue>) {}

  has(key: string): boolean {
    return this.metadata.has(key);
  }

  string(key: string): string | undefined {
    const entry = this.metadata.get(key);
    return entry?.type === "string" ? entry.value : undefined;
  }

  boolean(key: string): boolean | undefined {
    const entry = this.metadata.get(key);
    return entry?.type === "bool" ? entry.value : undefined;
  }

  number(key: string): number | undefined {
    const value = this.metadata.get(key)?.value;
    return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
  }

  array(key: string): readonly unknown[] {
    const entry = this.metadata.get(key);
    return entry?.type === "array" ? entry.value : [];
  }

  strings(key: string): readonly string[] {
    const entry = this.metadata.get(key);
    return entry?.type === "array" && entry.of === "string" ? (entry.value as readonly string[]) : [];
  }

  numbers(key: string): number[] {
    return this.array(key)
      .filter((value) => typeof value === "number" || typeof value === "bigint")
      .map(Number);
  }
}
