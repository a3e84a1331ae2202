import { UserError } from "../errors.js";
import type {
  GenerateEvent,
  GenerateParams,
  GenerateResult,
  WeighParams,
  WeighResult,
} from "../host/protocol.js";
import { findTraceTokens, TRACE_MARKS, type TraceTokens } from "../trace/trace-tokens.js";

/** What a trace session needs of a model. A TextSession is one; tests have scripted ones. */
export interface TraceEngine {
  tokenize(text: string, options: { special: boolean }): Promise<number[]>;
  pieces(ids: number[]): Promise<Uint8Array[]>;
  weigh(params: WeighParams, signal?: AbortSignal): Promise<WeighResult>;
  generate(params: GenerateParams, signal?: AbortSignal): AsyncGenerator<GenerateEvent, GenerateResult>;
}

/**
 * The trace tokens of a model, by their strings.
 * @throws UserError NO_TRACE_TOKENS (exit 65)
 */
export function traceTokensOf(engine: TraceEngine, model: string): Promise<TraceTokens> {
  return findTraceTokens(async (text) => {
    const ids = await engine.tokenize(text, { special: true });
    const [id] = ids;
    if (ids.length !== 1 || id === undefined) return undefined;
    const [piece] = await engine.pieces([id]);
    return piece && Buffer.from(piece).toString("utf8") === text ? id : undefined;
  }, model);
}

/**
 * Ids of a text of the user's. A vocabulary may find its tokens in any text (llama.cpp calls them user-defined); where
 * that makes a trace token of a string in a program, the string is taken apart.
 */
export async function tokenizePlainly(
  engine: TraceEngine,
  tokens: TraceTokens,
  text: string,
): Promise<number[]> {
  const special = new Set(Object.values(tokens));
  const ids = await engine.tokenize(text, { special: false });
  if (!ids.some((id) => special.has(id))) return ids;
  const marks = Object.values(TRACE_MARKS).map((mark) => mark.replaceAll("|", "\\|"));
  const parts = text.split(new RegExp(`(?<=<)(?=(?:${marks.map((mark) => mark.slice(1)).join("|")}))`));
  const apart = await Promise.all(parts.map((part) => engine.tokenize(part, { special: false })));
  if (apart.flat().some((id) => special.has(id))) {
    throw new UserError(
      "badFile",
      "TRACE_TOKENS_IN_TEXT",
      "The tokenizer reads trace tokens in plain text; such a program cannot be traced safely.",
    );
  }
  return apart.flat();
}
