import { UserError } from "../errors.js";
import { escapeForMessage } from "../formats/escape.js";
import type { JsonObject, JsonValue } from "../formats/strict-json.js";
import type { ConfigEntry } from "./family.js";
import type { InertKey } from "./inert-keys.js";

interface Wanted<T> {
  readonly meaning: string;
  /** Value of the transformers class when the key is absent; undefined: the key is required. */
  readonly fallback?: T;
}

interface WantedInteger extends Wanted<number> {
  /** Smallest and largest value allowed; default 1 and 2^31 - 1. */
  readonly least?: number;
  readonly most?: number;
}

/**
 * Reads values of a config.json, checks their types and ranges, and remembers where each came from.
 * @throws UserError CONFIG_VALUE (exit 65) from every method that reads
 */
export class ConfigReader {
  private readonly found: ConfigEntry[] = [];
  private readonly used = new Set<string>();

  /**
   * @param file   how errors name the file
   * @param prefix path of the object inside the file, for example "rope_parameters."
   */
  constructor(
    private readonly object: JsonObject,
    readonly file: string,
    private readonly prefix = "",
  ) {}

  /** What has been read so far, in that order. */
  entries(): readonly ConfigEntry[] {
    return this.found;
  }

  has(key: string): boolean {
    const value = this.object.get(key);
    return value !== undefined && value !== null;
  }

  isNull(key: string): boolean {
    return this.object.get(key) === null;
  }

  integer(key: string, wanted: WantedInteger): number {
    return this.read(key, wanted, (value) => this.checkInteger(key, value, wanted));
  }

  /** An id or size that may be null. An absent key gives the fallback. */
  optionalInteger(key: string, wanted: WantedInteger): number | undefined {
    if (!this.isNull(key) && (this.has(key) || wanted.fallback !== undefined))
      return this.integer(key, wanted);
    this.record(key, null, this.isNull(key) ? "file" : "default", wanted.meaning);
    return undefined;
  }

  number(key: string, wanted: Wanted<number>): number {
    return this.read(key, wanted, (value) => {
      const number = typeof value === "bigint" ? Number(value) : value;
      if (typeof number !== "number" || !Number.isFinite(number))
        throw this.wrong(key, "a finite number", value);
      return number;
    });
  }

  /** A number above zero: a factor, an epsilon, a base. */
  positive(key: string, wanted: Wanted<number>): number {
    const value = this.number(key, wanted);
    if (value <= 0) throw this.wrong(key, "a number above 0", value);
    return value;
  }

  boolean(key: string, wanted: Wanted<boolean>): boolean {
    return this.read(key, wanted, (value) => {
      if (typeof value !== "boolean") throw this.wrong(key, "true or false", value);
      return value;
    });
  }

  string(key: string, wanted: Wanted<string>): string {
    return this.read(key, wanted, (value) => {
      if (typeof value !== "string") throw this.wrong(key, "a string", value);
      return value;
    });
  }

  /** A string out of a short list. */
  choice<T extends string>(key: string, choices: readonly T[], wanted: Wanted<T>): T {
    return this.read(key, wanted, (value) => {
      const known = choices.find((choice) => choice === value);
      if (known === undefined)
        throw this.wrong(key, choices.map((choice) => `"${choice}"`).join(" or "), value);
      return known;
    });
  }

  /** A list, or undefined when the key is absent or null. */
  list(key: string, meaning: string): readonly JsonValue[] | undefined {
    this.used.add(key);
    const value = this.object.get(key);
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw this.wrong(key, "a list", value);
    this.record(key, value, "file", meaning);
    return value as readonly JsonValue[];
  }

  /** One id or a list of ids; an empty list when the key is absent or null. */
  ids(key: string, meaning: string): readonly number[] {
    const value = this.object.get(key);
    if (value === undefined || value === null) {
      this.used.add(key);
      return [];
    }
    const values = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
    const ids = values.map((id) => this.checkInteger(key, id, { meaning, least: 0 }));
    this.record(key, value, "file", meaning);
    return ids;
  }

  /** A reader for a nested object, or undefined when the key is absent or null. Its entries carry the path. */
  nested(key: string): ConfigReader | undefined {
    this.used.add(key);
    const value = this.object.get(key);
    if (value === undefined || value === null) return undefined;
    if (!(value instanceof Map)) throw this.wrong(key, "an object", value);
    return new ConfigReader(value, this.file, `${this.prefix}${key}.`);
  }

  /** Number of keys in the object. */
  get size(): number {
    return this.object.size;
  }

  /** Notes a value that was not read but computed, or that the class supplies. */
  record(key: string, value: unknown, origin: ConfigEntry["origin"], meaning: string): void {
    this.used.add(key);
    this.found.push({ key: this.prefix + key, value, origin, meaning });
  }

  /** Takes over what another reader of the same file has read. */
  adopt(other: ConfigReader): void {
    this.found.push(...other.found);
  }

  /** Lists the keys nobody asked for, and what the class holds for those of `known` that the file leaves out. */
  recordRest(known: Readonly<Record<string, InertKey>>): void {
    for (const [key, value] of this.object) {
      if (this.used.has(key)) continue;
      // transformers 4 wrote dtype under another name.
      const meaning = Object.hasOwn(known, key) ? known[key]!.meaning : OLDER[key];
      this.record(key, value, "file", meaning ?? "not read by parley");
    }
    for (const [key, { meaning, fallback }] of Object.entries(known)) {
      const isThere = this.used.has(key) || (key === "dtype" && this.object.has("torch_dtype"));
      if (fallback !== undefined && !isThere) this.record(key, fallback, "default", meaning);
    }
  }

  /** The error for a value that cannot be used. */
  wrong(key: string, expected: string, value: unknown): UserError {
    return new UserError(
      "badFile",
      "CONFIG_VALUE",
      `${this.file}: "${this.prefix}${key}" must be ${expected}, found ${show(value)}`,
      "Check the checkpoint's config.json against the one its author published.",
    );
  }

  private read<T>(key: string, wanted: Wanted<T>, check: (value: JsonValue) => T): T {
    const value = this.object.get(key);
    if (value === undefined) {
      if (wanted.fallback === undefined) throw this.wrong(key, "present", value);
      this.record(key, wanted.fallback, "default", wanted.meaning);
      return wanted.fallback;
    }
    const checked = check(value);
    this.record(key, checked, "file", wanted.meaning);
    return checked;
  }

  private checkInteger(key: string, value: JsonValue, wanted: WantedInteger): number {
    const least = wanted.least ?? 1;
    const most = wanted.most ?? 2 ** 31 - 1;
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number) || number < least || number > most) {
      throw this.wrong(key, `a whole number from ${least} to ${most}`, value);
    }
    return number;
  }
}

const OLDER: Readonly<Record<string, string>> = { torch_dtype: "element type of the weights" };

/** A short, harmless form of a value for an error message. */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof Map) return "an object";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return escapeForMessage(typeof value === "string" ? JSON.stringify(value) : String(value), 60);
}
