import { escapeForMessage } from "../formats/escape.js";
import type { JsonObject, JsonValue } from "../formats/strict-json.js";
import { ConfigProblems } from "./config-problems.js";
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

/** A value that a check does not take. */
class Refused extends Error {
  constructor(
    readonly expected: string,
    readonly value: unknown,
  ) {
    super(expected);
  }
}

/**
 * Reads values of a config.json, checks their types and ranges, and remembers where each came from. In the place of a
 * wrong value it gives the default and goes on: finish() throws then, and names all that is wrong. What has no default
 * ends the reading at once.
 * @throws UserError CONFIG_VALUE (exit 65) from finish(), and from methods that read a key without default
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
    private readonly problems = new ConfigProblems(file),
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
    return this.read(key, wanted, (value) => checkInteger(value, wanted));
  }

  /** An id or size that may be null. An absent key gives the fallback. */
  optionalInteger(key: string, wanted: WantedInteger): number | undefined {
    if (!this.isNull(key) && (this.has(key) || wanted.fallback !== undefined))
      return this.integer(key, wanted);
    this.record(key, null, this.isNull(key) ? "file" : "default", wanted.meaning);
    return undefined;
  }

  number(key: string, wanted: Wanted<number>): number {
    return this.read(key, wanted, checkNumber);
  }

  /** A number above zero: a factor, an epsilon, a base. */
  positive(key: string, wanted: Wanted<number>): number {
    return this.read(key, wanted, (value) => {
      const number = checkNumber(value);
      if (number <= 0) throw new Refused("a number above 0", value);
      return number;
    });
  }

  boolean(key: string, wanted: Wanted<boolean>): boolean {
    return this.read(key, wanted, (value) => {
      if (typeof value !== "boolean") throw new Refused("true or false", value);
      return value;
    });
  }

  string(key: string, wanted: Wanted<string>): string {
    return this.read(key, wanted, (value) => {
      if (typeof value !== "string") throw new Refused("a string", value);
      return value;
    });
  }

  /** A string out of a short list. */
  choice<T extends string>(key: string, choices: readonly T[], wanted: Wanted<T>): T {
    return this.read(key, wanted, (value) => {
      const known = choices.find((choice) => choice === value);
      if (known === undefined) throw new Refused(choices.map((choice) => `"${choice}"`).join(" or "), value);
      return known;
    });
  }

  /** A list, or undefined when the key is absent or null. */
  list(key: string, meaning: string): readonly JsonValue[] | undefined {
    this.used.add(key);
    const value = this.object.get(key);
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) {
      this.wrong(key, "a list", value);
      return undefined;
    }
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
    this.record(key, value, "file", meaning);
    return values.flatMap((id) => this.checked(key, id, (one) => checkInteger(one, { least: 0 })) ?? []);
  }

  /** A reader for a nested object, or undefined when the key is absent or null. Its entries carry the path. */
  nested(key: string): ConfigReader | undefined {
    this.used.add(key);
    const value = this.object.get(key);
    if (value === undefined || value === null) return undefined;
    if (!(value instanceof Map)) {
      this.wrong(key, "an object", value);
      return undefined;
    }
    return new ConfigReader(value, this.file, `${this.prefix}${key}.`, this.problems);
  }

  /** As nested(), with an empty object in the place of one that is not there: all defaults. */
  part(key: string): ConfigReader {
    return this.nested(key) ?? new ConfigReader(new Map(), this.file, `${this.prefix}${key}.`, this.problems);
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

  /** Notes a value that cannot be used, whatever the others are. finish() throws then. */
  wrong(key: string, expected: string, value: unknown): void {
    this.problems.wrong(this.prefix + key, `must be ${expected}, found ${show(value)}`);
  }

  /** Notes a value that does not go with others that were read. finish() throws then. */
  clash(key: string, expected: string, value: unknown): void {
    this.problems.clash(this.prefix + key, `must be ${expected}, found ${show(value)}`);
  }

  /**
   * Ends the reading of the file, its nested objects included.
   * @throws UserError CONFIG_VALUE (exit 65) that lists everything that was wrong
   */
  finish(): void {
    this.problems.throwIfAny();
  }

  private read<T>(key: string, wanted: Wanted<T>, check: (value: JsonValue) => T): T {
    const value = this.object.get(key);
    if (value === undefined && wanted.fallback !== undefined) {
      this.record(key, wanted.fallback, "default", wanted.meaning);
      return wanted.fallback;
    }
    if (value === undefined) this.wrong(key, "present", value);
    const checked = value === undefined ? undefined : this.checked(key, value, check);
    const usable = checked ?? wanted.fallback;
    if (usable === undefined) {
      this.finish();
      throw new Error(`${key} was refused without a problem`);
    }
    this.record(key, usable, "file", wanted.meaning);
    return usable;
  }

  /** @returns undefined when it was refused */
  private checked<T>(key: string, value: JsonValue, check: (value: JsonValue) => T): T | undefined {
    try {
      return check(value);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.wrong(key, error.expected, error.value);
      return undefined;
    }
  }
}

function checkNumber(value: JsonValue): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) throw new Refused("a finite number", value);
  return number;
}

function checkInteger(
  value: JsonValue,
  { least = 1, most = 2 ** 31 - 1 }: Pick<WantedInteger, "least" | "most">,
): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < least || number > most) {
    throw new Refused(`a whole number from ${least} to ${most}`, value);
  }
  return number;
}

const OLDER: Readonly<Record<string, string>> = { torch_dtype: "element type of the weights" };

/** A short, harmless form of a value for an error message. */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof Map) return "an object";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return escapeForMessage(typeof value === "string" ? JSON.stringify(value) : String(value), 60);
}
