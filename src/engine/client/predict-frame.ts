import type { GenerateResult } from "../host/protocol.js";
import type { TraceEvent } from "../trace/frame.js";
import { FrameParser, type ParsedFrame } from "../trace/parse-frame.js";
import type { TraceTokens } from "../trace/trace-tokens.js";
import type { TraceEngine } from "./trace-engine.js";
import type { TraceCap, TraceOptions } from "./trace-session.js";

/** Probabilities of parts of a frame; undefined where nothing was predicted. */
export interface FrameConfidence {
  /** of the event among all tokens, whether it was chosen or forced */
  readonly event: number | undefined;
  /** of all tokens of the locals, or of the value, together */
  readonly values: number | undefined;
  /** of all tokens of the source line together */
  readonly source: number | undefined;
}

export interface PredictedFrame extends ParsedFrame {
  readonly ids: readonly number[];
  readonly confidence: Omit<FrameConfidence, "event">;
  readonly cap?: TraceCap;
}

/**
 * Lets the model write the rest of a frame whose event is given.
 * @throws AbortError when the signal fires
 */
export async function predictFrame(
  engine: TraceEngine,
  tokens: TraceTokens,
  {
    before,
    event,
    options,
    seed,
  }: { before: readonly number[]; event: TraceEvent; options: TraceOptions; seed: number },
  signal?: AbortSignal,
): Promise<PredictedFrame> {
  const parser = new FrameParser(tokens);
  parser.push(tokens[event], new Uint8Array());
  const products = { values: new Product(), source: new Product() };
  // the separator needs a place too
  const room = options.contextSize - before.length - 2;
  const maxTokens = Math.max(1, Math.min(options.maxFrameTokens - 1, room));
  const { action: _action, arg: _arg, ...ends } = tokens;
  const stream = engine.generate(
    {
      tokens: [...before, tokens[event]],
      maxTokens,
      sampling: { ...options.sampling, topK: 0, minP: 0, repeatPenalty: 1, seed },
      stopTokens: Object.values(ends),
      probabilities: true,
    },
    signal,
  );
  const written: number[] = [];
  const probabilities: number[] = [];
  let step = await stream.next();
  for (; step.done !== true; step = await stream.next()) {
    if (step.value.kind !== "tokens") continue;
    written.push(...step.value.ids);
    probabilities.push(...(step.value.probabilities ?? step.value.ids.map(() => Number.NaN)));
  }
  signal?.throwIfAborted();
  // the engine answers one call at a time: the pieces are asked for when it has finished
  const pieces = await engine.pieces(written);
  written.forEach((id, i) => {
    // the mark behind the locals and the one behind the source line belong to what they end
    (parser.field === "source" ? products.source : products.values).multiply(probabilities[i]!);
    parser.push(id, pieces[i] ?? new Uint8Array());
  });
  const cap = capOf(step.value, room < options.maxFrameTokens - 1 ? "context" : "frame tokens");
  const [last] =
    step.value.stopToken === tokens.frame
      ? parser.push(tokens.frame, new Uint8Array())
      : parser.end(describeEnd(step.value, cap, options, tokens));
  if (last?.kind !== "frame") throw new Error("a frame that has an event was not given out");
  return {
    ...last.parsed,
    ids: [tokens[event], ...written, tokens.frame],
    confidence: { values: products.values.value, source: products.source.value },
    ...(cap === undefined ? {} : { cap }),
  };
}

function capOf({ stopReason }: GenerateResult, limit: TraceCap): TraceCap | undefined {
  if (stopReason === "overflow") return "context";
  return stopReason === "length" ? limit : undefined;
}

function describeEnd(
  { stopToken }: GenerateResult,
  cap: TraceCap | undefined,
  { maxFrameTokens, contextSize }: TraceOptions,
  tokens: TraceTokens,
): string {
  if (cap === "frame tokens") return `cut off after ${maxFrameTokens} tokens, the limit of a frame`;
  if (cap === "context") return `cut off because the context of ${contextSize} tokens is full`;
  return stopToken === tokens.end ? "the trace ended inside it" : "the next frame begins inside it";
}

/** A product that knows whether anything was multiplied. */
class Product {
  value: number | undefined;

  multiply(factor: number): void {
    if (!Number.isNaN(factor)) this.value = (this.value ?? 1) * factor;
  }
}
