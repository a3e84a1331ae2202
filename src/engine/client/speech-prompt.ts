import { UserError } from "../errors.js";
import { readClip } from "../audio/read-clip.js";
import { AUDIO_FRAME } from "../host/speech-model.js";
import type { Turn } from "../speech/turn.js";
import type { Voice } from "../speech/voice.js";
import { joinIntegers } from "../tensors/join-integers.js";
import type { SpeechSession } from "./speech-session.js";

/** The earlier turns as the model reads them. */
export interface SpeechContext {
  /** Text ids, AUDIO_FRAME for each frame of `codes`. */
  readonly tokens: readonly number[];
  /** [frames, codebooks] */
  readonly codes: Int32Array;
  /** Things worth telling the user. */
  readonly notes: readonly string[];
}

/** The beginning of a conversation. */
export const NO_TURNS: SpeechContext = { tokens: [], codes: new Int32Array(0), notes: [] };

/**
 * Encodes earlier turns: `<bos>[0]text<eos>`, the frames of the audio, and the token that ends audio.
 * @throws UserError of readClip; CONTEXT_TOO_LONG (exit 2) before a clip that cannot fit is encoded
 */
export async function encodeTurns(
  session: SpeechSession,
  turns: readonly Turn[],
  signal?: AbortSignal,
): Promise<SpeechContext> {
  const { codebooks, samplesPerFrame, sampleRate, context } = session.loaded;
  const tokens: number[] = [];
  const parts: Int32Array[] = [];
  const notes: string[] = [];
  for (const { speaker, text, audio } of turns) {
    const clip = await readClip(audio, sampleRate, signal);
    if (clip.isSilent) notes.push(`warning: ${audio} is silent, from the first sample to the last`);
    tokens.push(...(await turnTokens(session, speaker, text, signal)));
    const frames = Math.ceil(clip.samples.length / samplesPerFrame);
    refuseLongContext(tokens.length + frames + 1, context, audio);
    const codes = await session.encode(clip.samples, signal);
    parts.push(codes);
    tokens.push(...audioTokens(session, codes.length / codebooks));
  }
  return { tokens, codes: joinIntegers(parts), notes };
}

/**
 * A voice that was kept, as the model reads it.
 * @param codec fingerprint of the model's codec
 * @throws UserError VOICE_CODEC (exit 65), CONTEXT_TOO_LONG (exit 2)
 */
export async function voiceContext(
  session: SpeechSession,
  { name, speaker, text, codes, codebooks, codec: own }: Voice,
  codec: string,
  signal?: AbortSignal,
): Promise<SpeechContext> {
  const { loaded } = session;
  if (own !== codec || codebooks !== loaded.codebooks) {
    throw new UserError(
      "badFile",
      "VOICE_CODEC",
      `the voice ${name} was kept with another codec than that of ${session.facts.name}`,
      `Add it again for this model: parley speak voice add ${name} -m MODEL ...`,
    );
  }
  if (codes.some((code) => code >= loaded.audioVocabulary)) {
    throw new UserError(
      "badFile",
      "VOICE_FILE",
      `the voice ${name} holds codes that its codec does not have`,
      `Remove it with parley speak voice rm ${name}, and add it again.`,
    );
  }
  const frames = codes.length / codebooks;
  const words = await turnTokens(session, speaker, text, signal);
  refuseLongContext(words.length + frames + 1, loaded.context, `the voice ${name}`);
  return { tokens: [...words, ...audioTokens(session, frames)], codes, notes: [] };
}

/** Two contexts, one after the other. */
export function joinContexts(first: SpeechContext, second: SpeechContext): SpeechContext {
  return {
    tokens: [...first.tokens, ...second.tokens],
    codes: joinIntegers([first.codes, second.codes]),
    notes: [...first.notes, ...second.notes],
  };
}

/** What stands for audio in a prompt: a place for each frame, and the token that ends it. */
export function audioTokens(session: SpeechSession, frames: number): number[] {
  return [...Array<number>(frames).fill(AUDIO_FRAME), speechOf(session).audioEndToken];
}

/** Ids of a speaker's words: begin of text, `[0]text`, end of text. */
export async function turnTokens(
  session: SpeechSession,
  speaker: number,
  text: string,
  signal?: AbortSignal,
): Promise<number[]> {
  const { family, bosTokenId, eosTokenId } = session.facts;
  const words = await session.tokenize(family.speech!.turnText(speaker, text), signal);
  const around = (id: number | undefined): number[] => (id === undefined ? [] : [id]);
  return [...around(bosTokenId), ...words, ...around(eosTokenId)];
}

function speechOf(session: SpeechSession) {
  const { speech, path } = session.facts;
  if (!speech) throw new Error(`${path} is no speech model`);
  return speech;
}

function refuseLongContext(positions: number, most: number, audio: string): void {
  if (positions < most) return;
  throw new UserError(
    "usage",
    "CONTEXT_TOO_LONG",
    `with ${audio} the earlier turns take ${positions} positions, and the model has ${most}`,
    "Give fewer or shorter turns; every frame of audio takes a position.",
  );
}
