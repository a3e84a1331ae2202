import path from "node:path";
import type { SpeechRun } from "../engine/bench/bench-speech.js";
import type { TextRun } from "../engine/bench/bench-text.js";
import type { MemoryUse } from "../engine/bench/memory-use.js";
import { medians, type Spread } from "../engine/bench/spread.js";
import { rounded } from "../engine/system/rounded.js";
import { formatBytes } from "../engine/system/format-bytes.js";
import { counted, grouped, table } from "./inspect/layout.js";
import { safeLine } from "./safe-text.js";

/** What a benchmark was made of. */
export interface BenchSubject {
  /** the GGUF file */
  readonly model: string;
  readonly family: string;
  readonly type: string;
  /** backend that computes, false for the CPU */
  readonly gpu: string | false;
  readonly threads: number;
  readonly rounds: number;
  /** milliseconds until the model was ready, the engine's start included; downloads and conversions are not */
  readonly loadMs: number;
}

/** The document of --json for a model that writes. `timings` are those of the first prompt, as in chat. */
export function textBenchDocument(
  subject: BenchSubject,
  runs: readonly TextRun[],
  bytesPerToken: number,
  memory: MemoryUse,
): object {
  const { prompt_tokens, completion_tokens, ...speeds } = runs[0]!;
  return {
    ...head(subject),
    usage: { prompt_tokens, completion_tokens },
    timings: { load_ms: rounded(subject.loadMs), ...medians(speeds) },
    runs,
    memory: { bytes_per_token: bytesPerToken, ...memory },
  };
}

/** The document of --json for a model that speaks. */
export function speechBenchDocument(
  subject: BenchSubject,
  run: SpeechRun,
  bytesPerFrame: number,
  memory: MemoryUse,
): object {
  const { frames, seconds, ...speeds } = run;
  return {
    ...head(subject),
    frames,
    seconds,
    timings: { load_ms: rounded(subject.loadMs), ...medians(speeds) },
    runs: [run],
    memory: { bytes_per_frame: bytesPerFrame, ...memory },
  };
}

/** The table for people: what, its median, the smallest and the largest. */
export function textBenchTable(
  subject: BenchSubject,
  runs: readonly TextRun[],
  bytesPerToken: number,
  memory: MemoryUse,
): string {
  const rows = runs.flatMap((run) => [
    row(`reading ${counted(run.prompt_tokens, "token")}`, run.prompt_per_second, "tokens/s"),
    row("first token after them", run.first_token_ms, "ms"),
    row(`writing ${counted(run.completion_tokens, "token")}`, run.tokens_per_second, "tokens/s"),
  ]);
  return page(subject, [...rows, ...memoryRows(memory, bytesPerToken, "token", subject)]);
}

export function speechBenchTable(
  subject: BenchSubject,
  run: SpeechRun,
  bytesPerFrame: number,
  memory: MemoryUse,
): string {
  return page(subject, [
    row("first audio", run.first_audio_ms, "ms"),
    row("frame, with Mimi", run.frame_ms, "ms"),
    row(`RTF of ${run.seconds.toFixed(2)} s`, run.rtf, ""),
    row("codec, encoding 1 s", run.encode_ms_per_second, "ms"),
    row("codec, decoding 1 s", run.decode_ms_per_second, "ms"),
    ...memoryRows(memory, bytesPerFrame, "frame", subject),
  ]);
}

function head({ model, family, type, gpu, threads, rounds }: BenchSubject): object {
  return { model, family, type, gpu, threads, rounds };
}

function page(subject: BenchSubject, rows: string[][]): string {
  const { model, type, gpu, threads, rounds, loadMs } = subject;
  const where = `${gpu === false ? "CPU" : gpu.toUpperCase()}, ${counted(threads, "thread")}`;
  const title = `${path.basename(model)}, ${type}, ${where}, ${counted(rounds, "round")}: medians, and from least to most`;
  return [safeLine(title), ...table([["load", figure(loadMs), "ms"], ...rows], [1])].join("\n");
}

function row(label: string, { median, min, max }: Spread, unit: string): string[] {
  return [label, figure(median), unit, `${figure(min)} to ${figure(max)}`];
}

function memoryRows(memory: MemoryUse, bytes: number, step: string, { threads }: BenchSubject): string[][] {
  const { gigabytes_per_second: rate, machine_gigabytes_per_second: machine, share } = memory;
  const readers = threads === 1 ? "1 thread reads" : `${threads} threads read`;
  const compared =
    machine === null || share === null
      ? []
      : [`${(100 * share).toFixed(0)} % of the ${figure(machine)} GB/s that ${readers} here`];
  const [amount, unit] = formatBytes(bytes).split(" ");
  return [
    ["weights", amount!, unit!, `read for each ${step}`],
    ["memory", figure(rate), "GB/s", ...compared],
  ];
}

/** Three digits that mean something, and all that stand before the point. */
function figure(value: number): string {
  if (value >= 100) return grouped(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
