import type { SpokenChunk } from "../host/speech-model.js";
import type { Line } from "../speech/script.js";
import { joinIntegers } from "../tensors/join-integers.js";
import { planSpeech, type SpeechRequest } from "./plan-speech.js";
import { audioTokens, joinContexts, type SpeechContext, turnTokens } from "./speech-prompt.js";
import type { SpeechSession } from "./speech-session.js";

/** A piece of a text that is read part by part. */
export interface ReadChunk extends Omit<SpokenChunk, "utterance"> {
  /** index of the part it belongs to */
  readonly part: number;
}

/** What was said, as the model reads it again: it keeps the voice from part to part. */
interface SpokenPart {
  readonly speaker: number;
  readonly tokens: readonly number[];
  readonly codes: Int32Array;
}

/** Parts before the one being spoken that the model hears: more make it slower and no steadier. */
const HEARD_PARTS = 2;

/**
 * Speaks the parts of a long text one after the other, each behind the earlier turns and the parts before it, as far as
 * those fit into the model's context. After an abort what was spoken until then is still yielded.
 * @param parts   as splitLine() makes them
 * @param earlier turns that stand before every part
 * @param request maxSeconds are those of all parts together; a part alone may take what the checkpoint asks for
 * @throws UserError CONTEXT_TOO_LONG (exit 2) for a part that fits no context
 * @throws AbortError
 */
export async function* readAloud(
  session: SpeechSession,
  parts: readonly Line[],
  earlier: SpeechContext,
  request: SpeechRequest,
  signal?: AbortSignal,
): AsyncGenerator<ReadChunk, void> {
  const { samplesPerFrame, sampleRate, codebooks } = session.loaded;
  const frameSeconds = samplesPerFrame / sampleRate;
  const mostSeconds = session.facts.speech!.maxFrames * frameSeconds;
  let secondsLeft = request.maxSeconds ?? Infinity;
  const spoken: SpokenPart[] = [];
  for (const [part, { speaker, text }] of parts.entries()) {
    // a whole frame, give or take what the subtractions before it left
    if (secondsLeft < 0.99 * frameSeconds) return;
    const words = await turnTokens(session, speaker, text, signal);
    const heard = fitting(worthHearing(spoken, speaker), earlier.tokens.length + words.length, session);
    const limits = { ...request, maxSeconds: Math.min(mostSeconds, secondsLeft) };
    const { params } = await planSpeech(session, [{ speaker, text }], joined(earlier, heard), limits, signal);
    const codes: Int32Array[] = [];
    for await (const { utterance: _, ...chunk } of session.speak(params, signal)) {
      codes.push(withoutLastFrame(chunk, codebooks));
      yield { part, ...chunk };
    }
    const own = spokenPart(speaker, words, codes, session);
    secondsLeft -= (own.codes.length / codebooks) * frameSeconds;
    // what is silent has no voice to go on with
    if (own.codes.length > 0) spoken.push(own);
  }
}

/** The last parts, and the last one of the speaker, who may have said none of them. */
function worthHearing(spoken: readonly SpokenPart[], speaker: number): readonly SpokenPart[] {
  const last = spoken.slice(-HEARD_PARTS);
  if (last.some((part) => part.speaker === speaker)) return last;
  const own = spoken.findLast((part) => part.speaker === speaker);
  return own === undefined ? last : [own, ...last];
}

/** The frame that ends the speech is no audio; a prompt has a token in its place. */
export function withoutLastFrame(
  { codes, end }: Pick<SpokenChunk, "codes" | "end">,
  codebooks: number,
): Int32Array {
  return end === "eos" ? codes.subarray(0, Math.max(0, codes.length - codebooks)) : codes;
}

function spokenPart(
  speaker: number,
  words: readonly number[],
  pieces: readonly Int32Array[],
  session: SpeechSession,
): SpokenPart {
  const codes = joinIntegers(pieces);
  const frames = codes.length / session.loaded.codebooks;
  return { speaker, tokens: [...words, ...audioTokens(session, frames)], codes };
}

/** The last parts that leave room for the other positions of the prompt and the longest speech of the next part. */
function fitting(
  heard: readonly SpokenPart[],
  others: number,
  { loaded, facts }: SpeechSession,
): SpokenPart[] {
  let room = loaded.context - others - facts.speech!.maxFrames;
  let first = heard.length;
  while (first > 0 && heard[first - 1]!.tokens.length <= room) room -= heard[--first]!.tokens.length;
  return heard.slice(first);
}

function joined(earlier: SpeechContext, heard: readonly SpokenPart[]): SpeechContext {
  const parts = heard.map(({ tokens, codes }) => ({ tokens, codes, notes: [] }));
  return parts.reduce(joinContexts, earlier);
}
