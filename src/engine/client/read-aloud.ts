import { AUDIO_FRAME, type SpokenChunk } from "../host/speech-model.js";
import { joinIntegers } from "../tensors/join-integers.js";
import { planSpeech, type SpeechRequest } from "./plan-speech.js";
import { type SpeechContext, turnTokens } from "./speech-prompt.js";
import type { SpeechSession } from "./speech-session.js";

/** A piece of a text that is read part by part. */
export interface ReadChunk extends Omit<SpokenChunk, "utterance"> {
  /** index of the part it belongs to */
  readonly part: number;
}

/** What was said, as the model reads it again: it keeps the voice from part to part. */
interface SpokenPart {
  readonly tokens: readonly number[];
  readonly codes: Int32Array;
}

/** Parts before the one being spoken that the model hears: more make it slower and no steadier. */
const HEARD_PARTS = 2;

/**
 * Speaks the parts of a long text one after the other, each behind the ones before it as far as they fit into the
 * model's context. After an abort what was spoken until then is still yielded.
 * @param parts as splitSentences() makes them
 * @throws UserError CONTEXT_TOO_LONG (exit 2) for a part that fits no context
 * @throws AbortError
 */
export async function* readAloud(
  session: SpeechSession,
  parts: readonly string[],
  request: SpeechRequest,
  signal?: AbortSignal,
): AsyncGenerator<ReadChunk, void> {
  let heard: SpokenPart[] = [];
  for (const [part, text] of parts.entries()) {
    const words = await turnTokens(session, request.speaker, text, signal);
    heard = fitting(heard.slice(-HEARD_PARTS), words.length, session);
    const { params } = await planSpeech(session, [text], joined(heard), request, signal);
    const codes: Int32Array[] = [];
    for await (const { utterance: _, ...chunk } of session.speak(params, signal)) {
      codes.push(withoutLastFrame(chunk, session.loaded.codebooks));
      yield { part, ...chunk };
    }
    heard.push(spokenPart(words, codes, session));
  }
}

/** The frame that ends the speech is no audio; a prompt has a token in its place. */
function withoutLastFrame({ codes, end }: Pick<SpokenChunk, "codes" | "end">, codebooks: number): Int32Array {
  return end === "eos" ? codes.subarray(0, Math.max(0, codes.length - codebooks)) : codes;
}

function spokenPart(
  words: readonly number[],
  pieces: readonly Int32Array[],
  session: SpeechSession,
): SpokenPart {
  const codes = joinIntegers(pieces);
  const frames = Array<number>(codes.length / session.loaded.codebooks).fill(AUDIO_FRAME);
  return { tokens: [...words, ...frames, session.facts.speech!.audioEndToken], codes };
}

/** The last parts that leave room for the words and the longest speech of the next. */
function fitting(
  heard: readonly SpokenPart[],
  words: number,
  { loaded, facts }: SpeechSession,
): SpokenPart[] {
  let room = loaded.context - words - facts.speech!.maxFrames;
  let first = heard.length;
  while (first > 0 && heard[first - 1]!.tokens.length <= room) room -= heard[--first]!.tokens.length;
  return heard.slice(first);
}

function joined(heard: readonly SpokenPart[]): SpeechContext {
  return {
    tokens: heard.flatMap(({ tokens }) => tokens),
    codes: joinIntegers(heard.map(({ codes }) => codes)),
    notes: [],
  };
}
