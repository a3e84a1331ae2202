import { speakFiles, type FileLines } from "../engine/client/speak-files.js";
import type { SpeechRequest } from "../engine/client/plan-speech.js";
import type { SpeechContext } from "../engine/client/speech-prompt.js";
import type { SpeechSession } from "../engine/client/speech-session.js";
import type { Progress } from "./progress.js";
import { openRecording, type OutputFlags } from "./speech-outputs.js";
import type { Recording } from "./speech-recording.js";
import { realTimeFactor, type SpeechTimings } from "./speech-report.js";

export interface RecordSpeechOptions {
  readonly flags: OutputFlags;
  /** turns that stand before everything */
  readonly earlier: SpeechContext;
  readonly request: SpeechRequest;
  /** how often what came to no end, or to no sound, is spoken again with the next seed */
  readonly retries: number;
  /** milliseconds until the model was there */
  readonly loadMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly onNote: (text: string) => void;
}

/**
 * Speaks files and keeps them. After Ctrl-C, what was spoken until then is kept, and signal.aborted tells.
 * @returns one recording for each file, in their order
 * @throws UserError of planSpeech and of the outputs
 */
export async function recordSpeech(
  session: SpeechSession,
  files: readonly FileLines[],
  { retries, ...options }: RecordSpeechOptions,
): Promise<{ recordings: Recording[]; timings: SpeechTimings }> {
  const timings: SpeechTimings = { loadMs: options.loadMs, firstAudioMs: undefined, speakMs: 0 };
  const started = performance.now();
  const kept = new Map<number, Recording>();
  let pending = files.map((_, index) => index);
  for (let attempt = 0; pending.length > 0 && !options.signal.aborted; attempt++) {
    const seed = nth(options.request.seed, attempt);
    const take = { ...options, request: { ...options.request, seed }, isLast: attempt === retries };
    const failed = await recordOnce(session, files, pending, { ...take, kept, timings, started });
    if (failed.length > 0 && !options.signal.aborted) {
      options.onNote(
        `${failed.length === 1 ? "the speech" : `${failed.length} files`} came to no end or no sound: again, with seed ${nth(seed, 1)}`,
      );
    }
    pending = failed;
  }
  options.progress.finish();
  return { recordings: [...kept].sort(([a], [b]) => a - b).map(([, recording]) => recording), timings };
}

/** A seed some places after another; seeds are below 2^53. */
function nth(seed: number, places: number): number {
  return Number((BigInt(seed) + BigInt(places)) % 2n ** 53n);
}

interface Take extends Omit<RecordSpeechOptions, "retries" | "loadMs"> {
  /** What fails now is kept all the same. */
  readonly isLast: boolean;
  readonly kept: Map<number, Recording>;
  readonly timings: SpeechTimings;
  readonly started: number;
}

/** @returns the files to be tried again */
async function recordOnce(
  session: SpeechSession,
  files: readonly FileLines[],
  pending: readonly number[],
  { flags, request, earlier, isLast, kept, timings, started, progress, signal, onNote }: Take,
): Promise<number[]> {
  const model = { ...session.loaded, name: session.facts.name };
  const open = new Map<number, Recording>();
  // opened when it is spoken: a batch may be of more files than may be open at once
  const recordingOf = async (index: number): Promise<Recording> => {
    const recording =
      open.get(index) ?? (await openRecording(flags, model, request.seed, { index, count: files.length }));
    open.set(index, recording);
    return recording;
  };
  const failed: number[] = [];
  const keep = async (index: number): Promise<void> => {
    const recording = await recordingOf(index);
    await recording.keep(flags.force);
    kept.set(index, recording);
  };
  try {
    const spoken = pending.map((index) => files[index]!);
    const chunks = speakFiles(session, spoken, { earlier, request, signal, onNote });
    for await (const { utterance, faults = [], ...chunk } of chunks) {
      const index = pending[utterance]!;
      const recording = await recordingOf(index);
      await recording.add(chunk);
      if (chunk.audio.length > 0) timings.firstAudioMs ??= performance.now() - started;
      timings.speakMs = performance.now() - started;
      if (chunk.end !== "none") {
        recording.faults = faults;
        const isGood = chunk.end === "eos" && recording.samples > 0 && faults.length === 0;
        if (isGood || isLast) await keep(index);
        else failed.push(index);
      }
      const all = [...kept.values(), ...open.values()];
      progress.update({ label: progressLabel(new Set(all), timings.speakMs, model.sampleRate) });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    for (const [index, { samples, isKept }] of open) if (samples > 0 && !isKept) await keep(index);
  } finally {
    await Promise.all([...open.values()].map((recording) => recording.discard()));
  }
  return failed;
}

function progressLabel(recordings: ReadonlySet<Recording>, speakMs: number, sampleRate: number): string {
  const all = [...recordings];
  const seconds = all.reduce((sum, recording) => sum + recording.samples, 0) / sampleRate;
  const rtf = realTimeFactor(all, speakMs, sampleRate);
  return `speaking: ${seconds.toFixed(1)} s${rtf === null ? "" : `, RTF ${rtf.toFixed(2)}`}`;
}
