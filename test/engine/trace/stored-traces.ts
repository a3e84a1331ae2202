import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Frame } from "../../../src/engine/trace/frame.js";
import { TRACE_MARKS, type TraceMark, type TraceTokens } from "../../../src/engine/trace/trace-tokens.js";
import { repositoryFile } from "../../helpers/models.js";

export interface RecordedFrame {
  event: Frame["event"];
  line: number;
  source: string;
  depth: number;
  function: string;
  locals?: Record<string, string>;
  value?: string;
}

export interface StoredTrace {
  name: string;
  source: string;
  end: string;
  frames: RecordedFrame[];
}

/** What Python 3.11 did in 200 small programs (test/reference/make_traces.py). */
export function storedTraces(): StoredTrace[] {
  const bytes = readFileSync(repositoryFile("test/reference/data/traces.jsonl.gz"));
  return gunzipSync(bytes)
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as StoredTrace);
}

export function asFrame({ event, source, locals, value }: RecordedFrame): Frame {
  return event === "call" || event === "line"
    ? { event, source, locals: new Map(Object.entries(locals ?? {})) }
    : { event, source, value: value ?? "" };
}

/** A vocabulary of the 256 bytes and the trace marks. */
export const byteTokens = Object.fromEntries(
  (Object.keys(TRACE_MARKS) as TraceMark[]).map((name, i) => [name, 1000 + i]),
) as unknown as TraceTokens;

export const byteIds = (text: string): number[] => [...Buffer.from(text, "utf8")];

export const bytesOf = (id: number): Uint8Array => (id < 256 ? Uint8Array.of(id) : new Uint8Array());
