import type { ChatRequest, ReplyOptions } from "../engine/client/chat-session.js";
import { parseMessages } from "../engine/chat/parse-messages.js";
import { UserError } from "../engine/errors.js";
import { parseStrictJson, type JsonObject, type JsonValue } from "../engine/formats/strict-json.js";
import type { SamplingRequest } from "./chat-options.js";

/** One request of --jsonl; what it leaves open comes from the flags. */
export interface LineRequest {
  request: ChatRequest;
  sampling: SamplingRequest;
  maxTokens?: number | undefined;
  conversation: Partial<ReplyOptions["conversation"]>;
}

const HINT =
  'Write {"prompt": "..."}, {"messages": [...]}, {"raw": "..."} or {"prompt_tokens": [...]}; also system, think, ' +
  "keep_thoughts, temp, top_k, top_p, min_p, repeat_penalty, seed, max_tokens.";

/** Keys of numbers, with the limits that the flags of the same names have. */
const NUMBERS = [
  { key: "temp", name: "temp", least: 0, most: 100, whole: false },
  { key: "top_k", name: "topK", least: 0, most: 2 ** 31 - 1, whole: true },
  { key: "top_p", name: "topP", least: 0, most: 1, whole: false },
  { key: "min_p", name: "minP", least: 0, most: 1, whole: false },
  { key: "repeat_penalty", name: "repeatPenalty", least: 0.01, most: 100, whole: false },
  { key: "seed", name: "seed", least: 0, most: 2 ** 32 - 1, whole: true },
] as const;

const MAX_TOKENS = { key: "max_tokens", least: 0, most: Number.MAX_SAFE_INTEGER, whole: true } as const;

const KEYS = new Set([
  "prompt",
  "messages",
  "tools",
  "raw",
  "prompt_tokens",
  "system",
  "think",
  "keep_thoughts",
  MAX_TOKENS.key,
  ...NUMBERS.map(({ key }) => key),
]);

interface NumberRule {
  readonly key: string;
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

/**
 * Reads one line of --jsonl.
 * @throws UserError REQUEST_LINE (exit 65)
 */
export function parseRequestLine(line: string, number: number): LineRequest {
  const file = `line ${number} of standard input`;
  const fail = (fault: string) => new UserError("badFile", "REQUEST_LINE", `${file}: ${fault}`, HINT);
  const value = parseStrictJson(line, { file, code: "REQUEST_LINE", hint: HINT });
  if (!(value instanceof Map)) throw fail("expected an object");
  const object = value as JsonObject;
  const unknown = [...object.keys()].find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw fail(`unknown key "${unknown.slice(0, 60)}"`);

  const typed = (key: string, type: "string" | "boolean" | "number"): JsonValue | undefined => {
    const found = object.get(key);
    if (found === undefined || found === null) return undefined;
    const plain = typeof found === "bigint" ? Number(found) : found;
    if (typeof plain !== type) throw fail(`"${key}" is no ${type}`);
    return plain;
  };
  const sampling: SamplingRequest = {};
  const numberOf = ({ key, least, most, whole }: NumberRule): number | undefined => {
    const found = typed(key, "number") as number | undefined;
    if (found === undefined) return undefined;
    if (found >= least && found <= most && (!whole || Number.isInteger(found))) return found;
    throw fail(`"${key}" is no ${whole ? "whole number" : "number"} from ${least} to ${most}`);
  };
  for (const rule of NUMBERS) sampling[rule.name] = numberOf(rule);
  const system = typed("system", "string");
  const think = typed("think", "boolean");
  const keep = typed("keep_thoughts", "boolean");
  return {
    request: requestOf(object, typed, fail, file),
    sampling,
    maxTokens: numberOf(MAX_TOKENS),
    conversation: {
      ...(system === undefined ? {} : { system: system as string }),
      ...(think === undefined ? {} : { thinking: think as boolean }),
      ...(keep === undefined ? {} : { keepThoughts: keep as boolean }),
    },
  };
}

function requestOf(
  object: JsonObject,
  typed: (key: string, type: "string" | "boolean" | "number") => JsonValue | undefined,
  fail: (fault: string) => UserError,
  file: string,
): ChatRequest {
  const given = ["prompt", "messages", "raw", "prompt_tokens"].filter((key) => object.has(key));
  if (given.length !== 1)
    throw fail(`expected one of prompt, messages, raw, prompt_tokens, found ${given.length || "none"}`);
  const textOf = (key: string): string => {
    const text = typed(key, "string") as string | undefined;
    if (text === undefined || text === "") throw fail(`"${key}" is empty`);
    return text;
  };
  switch (given[0]) {
    case "prompt":
      return { kind: "messages", messages: [{ role: "user", content: textOf("prompt") }] };
    case "raw":
      return { kind: "text", text: textOf("raw") };
    case "messages": {
      const { messages, tools } = parseMessages(object, file);
      return { kind: "messages", messages, ...(tools ? { tools } : {}) };
    }
    default: {
      const ids = object.get("prompt_tokens");
      if (
        !Array.isArray(ids) ||
        ids.length === 0 ||
        !ids.every((id) => typeof id === "number" && Number.isInteger(id) && id >= 0)
      ) {
        throw fail('"prompt_tokens" is no list of token ids');
      }
      return { kind: "tokens", ids: ids as number[] };
    }
  }
}
