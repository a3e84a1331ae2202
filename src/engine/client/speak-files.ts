import type { SpokenChunk } from "../host/speech-model.js";
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

/**
 * Speaks several files: those of one part in lock step, then the others one after the other. Each gets what it would get
 * alone. `utterance` of a chunk is the index of its file, and `end` that of the file: "cap" and "context" also where
 * a part before the last one was cut.
 * @throws UserError CONTEXT_TOO_LONG (exit 2)
 * @throws AbortError; what was spoken until then is still yielded
 */
export async function* speakFiles(
  session: SpeechSession,
  files: readonly FileLines[],
  { earlier, request, signal, onNote }: SpeakFilesOptions,
): AsyncGenerator<SpokenChunk, void> {
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
  for (const { lines, file } of indexed) if (lines.length > 1) yield* speakParts(lines, file);

  async function* speakParts(lines: FileLines, utterance: number): AsyncGenerator<SpokenChunk, void> {
    let cut: "cap" | "context" | undefined;
    let isOver = false;
    for await (const { part, ...chunk } of readAloud(session, lines, earlier, request, signal)) {
      const isLast = part === lines.length - 1 && chunk.end !== "none";
      if (chunk.end === "cap" || chunk.end === "context") cut ??= chunk.end;
      isOver ||= isLast;
      if (isLast) yield { ...chunk, utterance, end: cut ?? chunk.end };
      else
        yield { ...chunk, utterance, end: "none", codes: withoutLastFrame(chunk, session.loaded.codebooks) };
    }
    const nothing = { codes: new Int32Array(0), audio: new Float32Array(0) };
    if (!isOver) yield { ...nothing, utterance, end: "cap" };
  }
}
