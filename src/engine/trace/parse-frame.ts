import type { Frame, TraceEvent } from "./frame.js";
import { parseLocals, parseValue } from "./parse-locals.js";
import { eventOf, markOf, type TraceMark, type TraceTokens } from "./trace-tokens.js";

/** A frame as it was read. What could not be read is empty, and said in `problems`. */
export interface ParsedFrame {
  readonly frame: Frame;
  /** what is not as the grammar has it; empty for a well-formed frame */
  readonly problems: readonly string[];
}

export type ParserEvent = { readonly kind: "frame"; readonly parsed: ParsedFrame } | { readonly kind: "end" };

type Field = "start" | "locals" | "source" | "value";

/**
 * Reads frames from tokens as they come. A frame ends with its separator, with the end of the trace, or where the
 * next event begins; whatever stands in between is read as far as it can be and never lost silently.
 */
export class FrameParser {
  #event: TraceEvent | undefined;
  #field: Field = "start";
  #bytes: Record<Field, Uint8Array[]> = emptyFields();
  #seen = new Set<TraceMark>();
  #problems: string[] = [];

  constructor(private readonly tokens: TraceTokens) {}

  /** The event of the frame that is being read, once it is known. */
  get event(): TraceEvent | undefined {
    return this.#event;
  }

  /** Which part of the frame the next text belongs to. */
  get field(): Field {
    return this.#field;
  }

  /** @param bytes what the token stands for; not looked at when the token is one of the trace's own */
  push(id: number, bytes: Uint8Array): ParserEvent[] {
    const event = eventOf(this.tokens, id);
    if (event !== undefined) return this.#begin(event);
    switch (markOf(this.tokens, id)) {
      case "frame":
        return this.#isEmpty ? [] : [this.#finish()];
      case "end":
        return [...this.#cut("the trace ended inside it"), { kind: "end" }];
      case "action":
        this.#enter("action", "source", this.#field === "locals");
        return [];
      case "arg":
        this.#enter("arg", "value", this.#field === "source");
        return [];
      case "begin":
      case "context":
        this.#problems.push("the beginning of a program inside a frame");
        return [];
      default:
        this.#bytes[this.#field].push(bytes);
        return [];
    }
  }

  /** What is left when no more tokens come: the frame that was cut off, if any. */
  end(reason: string): ParserEvent[] {
    return this.#cut(reason);
  }

  get #isEmpty(): boolean {
    return this.#event === undefined && this.#bytes.start.length === 0 && this.#problems.length === 0;
  }

  #begin(event: TraceEvent): ParserEvent[] {
    const before = this.#event === undefined ? [] : this.#cut("the next frame begins inside it");
    this.#event = event;
    this.#field = "locals";
    return before;
  }

  #enter(mark: TraceMark, field: Field, expected: boolean): void {
    if (!expected || this.#seen.has(mark)) this.#problems.push(`a misplaced ${mark} mark`);
    this.#seen.add(mark);
    this.#field = field;
  }

  #cut(reason: string): ParserEvent[] {
    if (this.#isEmpty) return [];
    this.#problems.push(reason);
    return [this.#finish()];
  }

  #finish(): ParserEvent {
    const problems = this.#problems;
    const text = (field: Field) => decode(this.#bytes[field]);
    if (this.#event === undefined) problems.unshift("it has no event");
    else if (text("start") !== "") problems.push("text before its event");
    if (this.#event !== undefined && !this.#seen.has("action")) problems.push("it has no source line");
    const source = text("source");
    let frame: Frame;
    if (this.#event === "return" || this.#event === "exception") {
      if (text("locals").trim() !== "") problems.push(`locals in a frame of the kind ${this.#event}`);
      const { value, problem } = this.#seen.has("arg")
        ? parseValue(text("value"))
        : { value: "", problem: "it has no value" };
      if (problem !== undefined) problems.push(problem);
      frame = { event: this.#event, source, value };
    } else {
      if (this.#seen.has("arg")) problems.push(`a value in a frame of the kind ${this.#event ?? "line"}`);
      // without an event the text is all there is: it may still be the locals of a line
      const { locals, problem } = parseLocals(text(this.#event === undefined ? "start" : "locals"));
      if (problem !== undefined && this.#event !== undefined) problems.push(problem);
      frame = { event: this.#event ?? "line", source, locals };
    }
    this.#event = undefined;
    this.#field = "start";
    this.#bytes = emptyFields();
    this.#seen = new Set();
    this.#problems = [];
    return { kind: "frame", parsed: { frame, problems } };
  }
}

function emptyFields(): Record<Field, Uint8Array[]> {
  return { start: [], locals: [], source: [], value: [] };
}

/** What is no UTF-8 becomes U+FFFD. */
function decode(parts: readonly Uint8Array[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(parts));
}
