import { parseStrictJson, type JsonValue } from "../formats/strict-json.js";
import type { Locals } from "./frame.js";

/** The longest field that is looked at, in characters; a frame's token limit ends fields long before. */
const LONGEST_FIELD = 1_000_000;

/** @returns the locals, or what is wrong with the text */
export function parseLocals(text: string): { locals: Locals; problem?: string } {
  const parsed = parseJson(text);
  if ("problem" in parsed) return { locals: new Map(), problem: parsed.problem };
  if (!(parsed.value instanceof Map)) return { locals: new Map(), problem: "the locals are no JSON object" };
  const locals = new Map<string, string>();
  let problem: string | undefined;
  for (const [name, value] of parsed.value as ReadonlyMap<string, JsonValue>) {
    if (typeof value === "string") locals.set(name, value);
    else problem = `the value of ${name} is no JSON string`;
  }
  return problem === undefined ? { locals } : { locals, problem };
}

/** @returns the value; where the text is no JSON string, the text itself and what is wrong with it */
export function parseValue(text: string): { value: string; problem?: string } {
  const parsed = parseJson(text);
  if ("value" in parsed && typeof parsed.value === "string") return { value: parsed.value };
  return { value: text, problem: "problem" in parsed ? parsed.problem : "the value is no JSON string" };
}

function parseJson(text: string): { value: JsonValue } | { problem: string } {
  try {
    return { value: parseStrictJson(text, { file: "frame", maxBytes: LONGEST_FIELD }) };
  } catch (error) {
    return { problem: (error as Error).message.replace(/^frame: (line 1, )?/, "") };
  }
}
