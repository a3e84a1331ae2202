import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/engine/errors.js";
import { parseStrictJson, type JsonValue } from "../../../src/engine/formats/strict-json.js";
import { seededNumbers } from "../../helpers/seeded-random.js";
import { startProcessorTime } from "./fixtures/processor-time.js";

const parse = (document: string | Uint8Array) =>
  parseStrictJson(document, { file: "config.json", code: "CONFIG_JSON" });

function refusal(
  document: string | Uint8Array,
  options: { maxDepth?: number; maxBytes?: number } = {},
): string {
  try {
    parseStrictJson(document, {
      file: "config.json",
      code: "CONFIG_JSON",
      hint: "Fetch it again.",
      ...options,
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect({ exit: error.exit, code: error.code, hint: error.hint }).toEqual({
      exit: "badFile",
      code: "CONFIG_JSON",
      hint: "Fetch it again.",
    });
    return error.message;
  }
  throw new Error(`accepted ${document.toString().slice(0, 100)}`);
}

/** Maps as plain objects and big integers as numbers, to compare with JSON.parse. */
function plain(value: JsonValue): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  if (typeof value === "bigint") return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("what is JSON", () => {
  it.each([
    "null",
    " true ",
    "false",
    "0",
    "-0",
    "-12.5e+3",
    "1E-2",
    '""',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"',
    '"raw é 😀 \u2028 \ufffd"',
    "[]",
    "{}",
    "[[],{},[{}]]",
    '{"a":[1,{"b":null}],"":true}',
    '\r\n\t{ "a" : [ 1 , 2 ] }\n',
  ])("%j reads as JSON.parse reads it", (text) => {
    expect(plain(parse(text))).toEqual(JSON.parse(text));
    expect(plain(parse(Buffer.from(text)))).toEqual(JSON.parse(text));
  });

  it("agrees with JSON.parse on random documents", () => {
    const random = seededNumbers(7);
    for (let i = 0; i < 2000; i++) {
      const value = randomValue(random, 4);
      const text = JSON.stringify(value, null, random() < 0.5 ? 1 : 0);
      expect(plain(parse(text))).toEqual(value);
    }
  });

  it("keeps large integers exact and keeps the order of keys", () => {
    expect(parse("[9007199254740991, 9007199254740992, -18446744073709551616]")).toEqual([
      9007199254740991,
      9007199254740992n,
      -18446744073709551616n,
    ]);
    expect([...(parse('{"b":1,"10":2,"2":3,"__proto__":4}') as Map<string, JsonValue>).keys()]).toEqual([
      "b",
      "10",
      "2",
      "__proto__",
    ]);
  });

  it("gives Infinity for a number that no double holds", () => {
    expect(parse("[1e309,-1e309,1e-400]")).toEqual([Infinity, -Infinity, 0]);
  });

  it("nests as deep as allowed", () => {
    expect(plain(parse("[".repeat(64) + "]".repeat(64)))).toEqual(
      JSON.parse("[".repeat(64) + "]".repeat(64)),
    );
  });
});

describe("what is not JSON", () => {
  const cases: [document: string | Uint8Array, message: string][] = [
    ["", "config.json: the document is empty; expected JSON."],
    ["  \n", "config.json: the document is empty; expected JSON."],
    ["{", "config.json: line 1, column 2: expected a key in quotation marks, found the end."],
    ['{\n  "a": 1,\n}', 'config.json: line 3, column 1: expected a key in quotation marks, found "}".'],
    ["[1,]", 'config.json: line 1, column 4: expected a value, found "]".'],
    ["[1 2]", 'config.json: line 1, column 4: expected "," or "]", found "2".'],
    ['{"a" 1}', 'config.json: line 1, column 6: expected ":", found "1".'],
    ['{"a":1 "b":2}', 'config.json: line 1, column 8: expected "," or "}", found a string.'],
    ["{'a':1}", 'config.json: line 1, column 2: expected a key in quotation marks, found "\'".'],
    ["[01]", 'config.json: line 1, column 2: expected a value, found "01".'],
    ["[+1]", 'config.json: line 1, column 2: expected a value, found "+".'],
    ["[1.]", 'config.json: line 1, column 2: expected a value, found "1.".'],
    ["[.5]", 'config.json: line 1, column 2: expected a value, found ".".'],
    ["[-]", 'config.json: line 1, column 2: expected a number, found "-".'],
    ["[1e]", 'config.json: line 1, column 2: expected a value, found "1e".'],
    ["[0x10]", 'config.json: line 1, column 2: expected a value, found "0x10".'],
    ["NaN", 'config.json: line 1, column 1: expected a value, found "N".'],
    ["nul", 'config.json: line 1, column 1: expected a value, found "n".'],
    ["nullx", 'config.json: line 1, column 1: expected a value, found "nullx".'],
    ["1 // one", 'config.json: line 1, column 3: expected the end, found "/".'],
    ["[1]\n[2]", 'config.json: line 2, column 1: expected the end, found "[".'],
    ['"abc', "config.json: line 1, column 1: a string without its closing quotation mark."],
    ['["a\tb"]', 'config.json: line 1, column 4: a control character "\\x09" inside a string.'],
    ['["\\x41"]', 'config.json: line 1, column 3: an unknown escape "\\x" in a string.'],
    ['["\\u12"]', 'config.json: line 1, column 3: an unknown escape "\\u" in a string.'],
    ['["\\ud800"]', "config.json: line 1, column 3: half of a surrogate pair in a string."],
    ['["\\udc00\\ud800"]', "config.json: line 1, column 3: half of a surrogate pair in a string."],
    ['{"a":1,\n "a":2}', 'config.json: line 2, column 2: the key "a" appears twice in one object.'],
    ['{"\\u0061":1,"a":2}', 'config.json: line 1, column 13: the key "a" appears twice in one object.'],
    [
      "[" + "1".repeat(1001) + "]",
      "config.json: line 1, column 2: an integer of 1001 digits (at most 1000).",
    ],
    [
      Buffer.from("\ufeff{}"),
      "config.json: line 1, column 1: the document starts with a byte order mark; JSON has none.",
    ],
    [
      Buffer.from("{}", "utf16le"),
      "config.json: line 1, column 1: the document is UTF-16 or UTF-32; JSON is UTF-8.",
    ],
    [
      Buffer.from("\ufeff{}", "utf16le"),
      "config.json: line 1, column 1: the document is UTF-16 or UTF-32; JSON is UTF-8.",
    ],
    [
      Buffer.concat([Buffer.from('{\n"\ufffd'), Buffer.from([0xe9]), Buffer.from('":1}')]),
      "config.json: line 2, column 3: the byte 0xe9 is not UTF-8.",
    ],
  ];
  it.each(cases)("%j", (document, message) => {
    expect(refusal(document)).toBe(message);
  });

  it("is refused when it is too deep, however deep", () => {
    expect(refusal("[".repeat(65))).toMatch(/line 1, column 66: nested more than 64 deep/);
    expect(refusal("[".repeat(2_000_000))).toMatch(/nested more than 64 deep/);
    expect(refusal('{"a":'.repeat(65))).toMatch(/nested more than 64 deep/);
    expect(refusal("[[]]", { maxDepth: 1 })).toMatch(/nested more than 1 deep/);
  });

  it("is refused when it is too large", () => {
    expect(refusal("[1,2,3]", { maxBytes: 6 })).toBe(
      "config.json: the document has 7 bytes; at most 6 are read.",
    );
  });

  it("shows harmful characters escaped and long values shortened", () => {
    expect(refusal('{"\u001b[2J":1}')).toMatch(/a control character "\\x1b"/);
    expect(refusal("[\u202e]")).toMatch(/found "\\u202e"/);
    const key = `"${"k".repeat(5000)}"`;
    expect(refusal(`{${key}:1,${key}:2}`).length).toBeLessThan(400);
  });
});

it("parses a vocabulary of 14 MB in the time JSON.parse needs, within a factor", () => {
  const vocab = Object.fromEntries(Array.from({ length: 128_000 }, (_, i) => [`Ġ${i.toString(36)}é`, i]));
  const merges = Array.from({ length: 250_000 }, (_, i) => [`Ġ${i.toString(36)}`, `abc${i}`]);
  const text = JSON.stringify({ model: { vocab, merges } }, null, 1);
  const time = (work: () => unknown) => {
    const processorTime = startProcessorTime();
    work();
    return processorTime();
  };
  const builtIn = Math.min(...[0, 1, 2].map(() => time(() => JSON.parse(text))));
  const ours = Math.min(
    ...[0, 1, 2].map(() => time(() => parseStrictJson(text, { file: "t", maxBytes: 1e9 }))),
  );
  expect(ours / builtIn).toBeLessThan(5);
});

function randomValue(random: () => number, depth: number): unknown {
  const pick = Math.floor(random() * (depth > 0 ? 7 : 5));
  if (pick === 0) return null;
  if (pick === 1) return random() < 0.5;
  if (pick === 2) return Math.floor(random() * 2 ** 40) - 2 ** 39;
  if (pick === 3) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
  if (pick === 4) return randomText(random);
  const length = Math.floor(random() * 5);
  if (pick === 5) return Array.from({ length }, () => randomValue(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [`${i}${randomText(random)}`, randomValue(random, depth - 1)]),
  );
}

function randomText(random: () => number): string {
  const alphabet = ['"', "\\", "/", "\n", "\t", "\u0001", "a", "é", "Ġ", "😀", "\u2028", "\ufffd", " "];
  return Array.from(
    { length: Math.floor(random() * 8) },
    () => alphabet[Math.floor(random() * alphabet.length)],
  ).join("");
}
