import { planSpeech } from "../client/plan-speech.js";
import { NO_TURNS } from "../client/speech-prompt.js";
import type { SpeechSession } from "../client/speech-session.js";
import { UserError } from "../errors.js";
import type { SpeakParams } from "../host/protocol.js";
import { realTimeFactorOf } from "../speech/real-time-factor.js";
import { roundName, type BenchProgress } from "./bench-progress.js";
import { rounded } from "../system/rounded.js";
import { spreads, type Spread } from "./spread.js";

export interface SpeechBenchPlan {
  /** most frames of the utterance; a model may end it earlier */
  readonly frames: number;
  /** that are counted; a warm-up comes before them */
  readonly rounds: number;
  readonly kvType: "auto" | "f16" | "f32";
}

/** What one round measures. */
export interface SpeechSpeeds {
  /** milliseconds from the request to the first samples */
  readonly first_audio_ms: number;
  /** milliseconds per frame after those, Mimi included */
  readonly frame_ms: number;
  /** seconds of computing per second of audio, the first included */
  readonly rtf: number;
  /** milliseconds that Mimi takes to encode a second of audio */
  readonly encode_ms_per_second: number;
  /** and to decode it */
  readonly decode_ms_per_second: number;
}

export type SpeechRun = {
  /** that were computed, the one that ends the speech included */
  readonly frames: number;
  /** of audio */
  readonly seconds: number;
} & { readonly [Name in keyof SpeechSpeeds]: Spread };

/** Words that even a small model says in as many frames as are asked for by default. */
const TEXT = "one two three four five six seven eight nine zero one two three four five six seven eight nine";

/**
 * Speaks one utterance as parley speak does, greedily, and sends a tone through the codec, both ways.
 * @throws UserError NOTHING_SPOKEN (exit 65) when the model ends the speech at once; CONTEXT_TOO_LONG; AbortError
 */
export async function* benchSpeech(
  session: SpeechSession,
  { frames, rounds, kvType }: SpeechBenchPlan,
  signal: AbortSignal,
): AsyncGenerator<BenchProgress, SpeechRun> {
  const params = await planGreedily(session, frames, kvType, signal);
  const seconds = (frames * session.loaded.samplesPerFrame) / session.loaded.sampleRate;
  const clip = tone(frames * session.loaded.samplesPerFrame, session.loaded.sampleRate);
  const measured: SpeechSpeeds[] = [];
  let spoken = { frames: 0, seconds: 0 };
  for (let round = 0; round <= rounds; round++) {
    const name = roundName(round, rounds);
    const speech = yield* speakOnce(session, params, `${name}, speaking`, signal);
    yield { label: `${name}, codec`, done: 0, total: 2, unit: "steps" };
    const codec = await timeCodec(session, clip, signal);
    spoken = { frames: speech.frames, seconds: speech.seconds };
    if (round === 0) continue;
    measured.push({
      first_audio_ms: rounded(speech.firstAudioMs),
      frame_ms: rounded(speech.frameMs),
      rtf: realTimeFactorOf(speech.speakMs, speech.seconds)!,
      encode_ms_per_second: rounded(codec.encodeMs / seconds),
      decode_ms_per_second: rounded(codec.decodeMs / seconds),
    });
  }
  return { ...spoken, ...spreads(measured) };
}

async function planGreedily(
  session: SpeechSession,
  frames: number,
  kvType: SpeechBenchPlan["kvType"],
  signal: AbortSignal,
): Promise<SpeakParams> {
  const { samplesPerFrame, sampleRate } = session.loaded;
  const request = {
    maxSeconds: (frames * samplesPerFrame) / sampleRate,
    kvType,
    seed: 0,
    sampling: { temperature: 0, depthTemperature: 0 },
  };
  return (await planSpeech(session, [{ speaker: 0, text: TEXT }], NO_TURNS, request, signal)).params;
}

interface Spoken {
  frames: number;
  seconds: number;
  firstAudioMs: number;
  frameMs: number;
  speakMs: number;
}

async function* speakOnce(
  session: SpeechSession,
  params: SpeakParams,
  label: string,
  signal: AbortSignal,
): AsyncGenerator<BenchProgress, Spoken> {
  const { codebooks, sampleRate } = session.loaded;
  const total = params.utterances[0]!.maxFrames;
  const started = performance.now();
  let first: { frames: number; ms: number } | undefined;
  let frames = 0;
  let samples = 0;
  let speakMs = 0;
  for await (const { codes, audio } of session.speak(params, signal)) {
    speakMs = performance.now() - started;
    frames += codes.length / codebooks;
    samples += audio.length;
    if (audio.length > 0) first ??= { frames, ms: speakMs };
    yield { label, done: frames, total, unit: "steps" };
  }
  signal.throwIfAborted();
  if (first === undefined || frames === first.frames) throw nothingSpoken(session.facts.path);
  return {
    frames,
    seconds: samples / sampleRate,
    firstAudioMs: first.ms,
    frameMs: (speakMs - first.ms) / (frames - first.frames),
    speakMs,
  };
}

async function timeCodec(
  session: SpeechSession,
  clip: Float32Array,
  signal: AbortSignal,
): Promise<{ encodeMs: number; decodeMs: number }> {
  const started = performance.now();
  const codes = await session.encode(clip, signal);
  const encoded = performance.now();
  for await (const _ of session.decode(codes, signal));
  return { encodeMs: encoded - started, decodeMs: performance.now() - encoded };
}

/** @param rate samples per second */
function tone(samples: number, rate: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / rate));
}

function nothingSpoken(path: string): UserError {
  return new UserError(
    "badFile",
    "NOTHING_SPOKEN",
    `${path} ends its speech before the second frame: there is nothing to measure.`,
    "Check with parley speak that the model speaks.",
  );
}
