import { UserError } from "../errors.js";
import { readClip } from "../audio/read-clip.js";
import { AUDIO_FRAME } from "../host/speech-model.js";
import type { Turn } from "../speech/turn.js";
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
    for (let frame = 0; frame < codes.length / codebooks; frame++) tokens.push(AUDIO_FRAME);
    tokens.push(speechOf(session).audioEndToken);
  }
  return { tokens, codes: joinIntegers(parts), notes };
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
