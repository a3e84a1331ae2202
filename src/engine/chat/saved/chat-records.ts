import { UserError } from "../../errors.js";
import { parseStrictJson, type JsonValue } from "../../formats/strict-json.js";
import type { FinishReason } from "../chat-document.js";
import type { Turn } from "./turns.js";

/** A saved chat as its file tells it, read from the first line to the last. */
export interface ChatContent {
  readonly created: string;
  /** -m of the session that began it */
  readonly model: string;
  /** given with /save */
  readonly name?: string;
  /** undefined: the family's own */
  readonly system?: string;
  readonly turns: readonly Turn[];
}

/**
 * A line of a saved chat. The file only grows: taking turns back is a line too, so that a crash at any moment leaves
 * everything that was said before.
 */
export type ChatRecord =
  | { readonly type: "chat"; readonly version: 1; readonly created: string; readonly model: string }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "system"; readonly text: string | null }
  | { readonly type: "turn"; readonly time: string; readonly turn: Turn }
  /** only the first turns stay */
  | { readonly type: "cut"; readonly turns: number };

export function encodeRecord(record: ChatRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/**
 * Reads a saved chat. A last line without its end is what a crash leaves; it is passed over.
 * @throws UserError CHAT_FILE (exit 65), naming file and line
 */
export function decodeChat(text: string, file: string): ChatContent {
  const lines = text.split("\n").slice(0, -1);
  let content: ChatContent | undefined;
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    const record = readRecord(line, file, i + 1);
    if (record.type === "chat") content = { created: record.created, model: record.model, turns: [] };
    else if (content === undefined) throw badLine(file, i + 1, "the first line must be of type chat");
    else content = apply(content, record);
  }
  if (content === undefined) throw badLine(file, 1, "there is no line of type chat");
  return content;
}

function apply(content: ChatContent, record: Exclude<ChatRecord, { type: "chat" }>): ChatContent {
  switch (record.type) {
    case "name":
      return { ...content, name: record.name };
    case "system": {
      const { system: _, ...rest } = content;
      return record.text === null ? rest : { ...rest, system: record.text };
    }
    case "turn":
      return { ...content, turns: [...content.turns, record.turn] };
    case "cut":
      return { ...content, turns: content.turns.slice(0, record.turns) };
  }
}

function readRecord(line: string, file: string, number: number): ChatRecord {
  const value = parseStrictJson(Buffer.from(line, "utf8"), {
    file: `${file}, line ${number}`,
    code: "CHAT_FILE",
    hint: "Mend or remove the line, or remove the file.",
    maxBytes: 2 ** 28,
  });
  const fields = new Fields(value, (problem) => badLine(file, number, problem));
  const type = fields.string("type");
  switch (type) {
    case "chat":
      if (fields.number("version") !== 1) throw badLine(file, number, "it is of a later version of parley");
      return { type, version: 1, created: fields.string("created"), model: fields.string("model") };
    case "name":
      return { type, name: fields.string("name") };
    case "system":
      return { type, text: fields.optionalString("text") ?? null };
    case "turn":
      return { type, time: fields.string("time"), turn: readTurn(fields.object("turn")) };
    case "cut":
      return { type, turns: fields.number("turns") };
    default:
      throw badLine(file, number, `the type ${type} is unknown`);
  }
}

function readTurn(fields: Fields): Turn {
  if (fields.string("role") === "user") return { role: "user", text: fields.string("text") };
  const stopToken = fields.optionalString("stopToken");
  return {
    role: "assistant",
    text: fields.string("text"),
    thinking: fields.string("thinking"),
    raw: fields.string("raw"),
    startedInsideThinking: fields.boolean("startedInsideThinking"),
    ...(stopToken === undefined ? {} : { stopToken }),
    finishReason: fields.string("finishReason") as FinishReason,
    family: fields.string("family"),
    model: fields.string("model"),
  };
}

/** Typed access to an object of the strict reader. */
class Fields {
  constructor(
    private readonly value: JsonValue | undefined,
    private readonly problem: (text: string) => UserError,
  ) {}

  string(key: string): string {
    const value = this.get(key);
    if (typeof value !== "string") throw this.problem(`"${key}" must be a text`);
    return value;
  }

  optionalString(key: string): string | undefined {
    const value = this.get(key);
    return typeof value === "string" ? value : undefined;
  }

  number(key: string): number {
    const value = this.get(key);
    const number = typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < 0) throw this.problem(`"${key}" must be a whole number`);
    return number;
  }

  boolean(key: string): boolean {
    const value = this.get(key);
    if (typeof value !== "boolean") throw this.problem(`"${key}" must be true or false`);
    return value;
  }

  object(key: string): Fields {
    return new Fields(this.get(key), this.problem);
  }

  private get(key: string): JsonValue | undefined {
    if (!(this.value instanceof Map)) throw this.problem("an object is expected");
    return this.value.get(key);
  }
}

function badLine(file: string, line: number, problem: string): UserError {
  return new UserError(
    "badFile",
    "CHAT_FILE",
    `${file}, line ${line}: not a saved chat: ${problem}.`,
    "Mend or remove the line, or remove the file.",
  );
}
