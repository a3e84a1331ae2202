import { rounded } from "../engine/system/rounded.js";
import { realTimeFactorOf } from "../engine/speech/real-time-factor.js";
import type { Recording } from "./speech-recording.js";

export interface SpeechTimings {
  loadMs: number;
  /** From the beginning of speaking to the first samples; undefined when none came. */
  firstAudioMs: number | undefined;
  speakMs: number;
}

/** Seconds of computing per second of audio; null when there is no audio. */
export function realTimeFactor(
  recordings: readonly Recording[],
  speakMs: number,
  sampleRate: number,
): number | null {
  const samples = recordings.reduce((sum, recording) => sum + recording.samples, 0);
  return realTimeFactorOf(speakMs, samples / sampleRate);
}

/** The document of --json. */
export function speechDocument(
  recordings: readonly Recording[],
  { loadMs, firstAudioMs, speakMs }: SpeechTimings,
  sampleRate: number,
): object {
  return {
    files: recordings.map(({ path, samples, frames, stopped, seed, faults }) => ({
      path,
      seconds: samples / sampleRate,
      frames,
      seed,
      // No room left in the context is a cap like any other, and so is that of a part.
      stopped: stopped === "context" || faults.some(({ kind }) => kind === "cut") ? "cap" : stopped,
    })),
    timings: {
      load_ms: rounded(loadMs),
      first_audio_ms: firstAudioMs === undefined ? null : rounded(firstAudioMs),
      rtf: realTimeFactor(recordings, speakMs, sampleRate),
    },
  };
}

/** The closing line on stderr. */
export function closingLine(
  recordings: readonly Recording[],
  timings: SpeechTimings,
  sampleRate: number,
): string {
  const seconds = recordings.reduce((sum, recording) => sum + recording.samples, 0) / sampleRate;
  const rtf = realTimeFactor(recordings, timings.speakMs, sampleRate);
  const seeds = [...new Set(recordings.map(({ seed }) => seed))].join(", ") || "-";
  const first =
    timings.firstAudioMs === undefined ? "" : `, first audio after ${timings.firstAudioMs.toFixed(0)} ms`;
  return (
    `${seconds.toFixed(2)} s of speech in ${(timings.speakMs / 1000).toFixed(2)} s, ` +
    `RTF ${rtf === null ? "-" : rtf.toFixed(2)}${first}, seed ${seeds}`
  );
}

/** What about an utterance is worth a warning. */
export function warnings(recordings: readonly Recording[], sampleRate: number): string[] {
  return recordings.flatMap(({ path, samples, stopped, faults }) => {
    const name = path === "-" ? "the speech" : path;
    const parts = faults.map((fault) => `warning: ${name}: ${fault.text}`);
    if (stopped === "eos" && samples === 0) {
      return [
        ...parts,
        `warning: ${name} is empty: the model ended the speech before its first frame; try another seed`,
      ];
    }
    const at = (samples / sampleRate).toFixed(1);
    if (stopped === "cap") {
      return [
        ...parts,
        `warning: ${name} was cut at ${at} s, the longest speech allowed (--max-seconds changes it)`,
      ];
    }
    return stopped === "context"
      ? [...parts, `warning: ${name} was cut at ${at} s, where the model's context ends`]
      : parts;
  });
}
