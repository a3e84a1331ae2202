import type { SpokenChunk } from "../host/speech-model.js";
import { escapeForMessage } from "../formats/escape.js";
import type { Line } from "../speech/script.js";
import { planSpeech, type SpeechRequest } from "./plan-speech.js";
import { readAloud, withoutLastFrame } from "./read-aloud.js";
import type { SpeechContext } from "./speech-prompt.js";
import type { SpeechSession } from "./speech-session.js";

/** What goes into one file: parts that are spoken one after the other. */
export type FileLines = readonly Line[];

export interface SpeakFilesOptions {
  /** turns that stand before everything */
  readonly earlier: SpeechContext;
  readonly request: SpeechRequest;
  readonly signal?: AbortSignal | undefined;
  /** told of things worth telling the user */
  readonly onNote: (text: string) => void;
}

/** What went wrong with a part of a file. */
export interface PartFault {
  readonly kind: "cut" | "silent";
  /** for people, behind the name of the file */
  readonly text: string;
}

export interface FileChunk extends SpokenChunk {
  /** on the last chunk of a file of several parts */
  readonly faults?: readonly PartFault[];
}

/**
 * Speaks several files: those of one part in lock step, then the others one after the other. Each gets what it would get
 * alone. `utterance` of a chunk is the index of its file, and `end` that of the file: "cap" where a file of several parts
 * reached maxSeconds.
 * @throws UserError CONTEXT_TOO_LONG (exit 2)
 * @throws AbortError; what was spoken until then is still yielded
 */
export async function* speakFiles(
  session: SpeechSession,
  files: readonly FileLines[],
  { earlier, request, signal, onNote }: SpeakFilesOptions,
): AsyncGenerator<FileChunk, void> {
  const indexed = files.map((lines, file) => ({ lines, file }));
  const short = indexed.filter(({ lines }) => lines.length === 1);
  if (short.length > 0) {
    const all = short.flatMap(({ lines }) => lines);
    const { params, notes } = await planSpeech(session, all, earlier, request, signal);
    notes.forEach(onNote);
    for await (const chunk of session.speak(params, signal)) {
      yield { ...chunk, utterance: short[chunk.utterance]!.file };
    }
  }
  for (const { lines, file } of indexed) {
    if (lines.length > 1) yield* speakParts(session, lines, file, { earlier, request, signal });
  }
}

/** One file of several parts. Its last chunk is an empty one that tells how it ended. */
async function* speakParts(
  session: SpeechSession,
  lines: FileLines,
  utterance: number,
  { earlier, request, signal }: Omit<SpeakFilesOptions, "onNote">,
): AsyncGenerator<FileChunk, void> {
  const { codebooks, sampleRate } = session.loaded;
  const faults: PartFault[] = [];
  let [samples, total] = [0, 0];
  let ended = 0;
  let cut: "cap" | "context" | undefined;
  for await (const { part, ...chunk } of readAloud(session, lines, earlier, request, signal)) {
    samples += chunk.audio.length;
    const isLast = part === lines.length - 1;
    yield {
      ...chunk,
      utterance,
      end: "none",
      codes: isLast ? chunk.codes : withoutLastFrame(chunk, codebooks),
    };
    if (chunk.end === "none") continue;
    ended++;
    cut = chunk.end === "eos" ? undefined : chunk.end;
    const place = `part ${part + 1} of ${lines.length}, "${escapeForMessage(lines[part]!.text, 40)}",`;
    const seconds = (samples / sampleRate).toFixed(1);
    if (cut !== undefined) faults.push({ kind: "cut", text: `${place} was cut at ${seconds} s` });
    else if (samples === 0) faults.push({ kind: "silent", text: `${place} is silent` });
    total += samples;
    samples = 0;
  }
  const mostSamples = (request.maxSeconds ?? Infinity) * sampleRate;
  const isFull =
    ended < lines.length || (cut !== undefined && total + session.loaded.samplesPerFrame > mostSamples);
  const nothing = { codes: new Int32Array(0), audio: new Float32Array(0) };
  // where the last part reached the end of the whole, that is told of once
  yield isFull
    ? { ...nothing, utterance, end: "cap", faults: cut === undefined ? faults : faults.slice(0, -1) }
    : { ...nothing, utterance, end: "eos", faults };
}
