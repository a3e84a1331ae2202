import { UserError } from "../errors.js";
import type { SpeechSampling } from "../families/speech-behaviour.js";
import type { SpeakParams } from "../host/protocol.js";
import type { Line } from "../speech/script.js";
import { turnTokens, type SpeechContext } from "./speech-prompt.js";
import type { SpeechSession } from "./speech-session.js";

export interface SpeechRequest {
  /** Default: what the checkpoint says. */
  readonly maxSeconds?: number | undefined;
  readonly kvType: "auto" | "f16" | "f32";
  readonly seed: number;
  /** What is undefined comes from the checkpoint. */
  readonly sampling: { readonly [Key in keyof SpeechSampling]?: SpeechSampling[Key] | undefined };
}

/** Utterances computed in lock step; more of them wait. Beyond this a frame takes longer for each added one. */
const MAX_WIDTH = 8;

/**
 * What the engine is asked for: a prompt for each line, limits and sampling. Every utterance has the same seed, so
 * that each gets what it would get alone.
 * @throws UserError CONTEXT_TOO_LONG (exit 2)
 */
export async function planSpeech(
  session: SpeechSession,
  lines: readonly Line[],
  context: SpeechContext,
  request: SpeechRequest,
  signal?: AbortSignal,
): Promise<{ readonly params: SpeakParams; readonly notes: readonly string[] }> {
  const { sampleRate, samplesPerFrame, context: positions } = session.loaded;
  const { maxFrames: usualFrames, sampling, unquantised } = session.facts.speech!;
  const frameSeconds = samplesPerFrame / sampleRate;
  const { maxSeconds } = request;
  // 0.56 s are 7 frames of 0.08 s, whatever the division makes of it.
  const asked =
    maxSeconds === undefined ? usualFrames : Math.max(1, Math.floor(maxSeconds / frameSeconds + 1e-6));
  const notes = new Set<string>();
  const utterances: SpeakParams["utterances"] = [];
  for (const { speaker, text } of lines) {
    const tokens = [...context.tokens, ...(await turnTokens(session, speaker, text, signal))];
    refuseLongPrompt(tokens.length, positions);
    // The last position of the prompt speaks the first frame.
    const room = positions - tokens.length + 1;
    if (maxSeconds !== undefined && asked > room) {
      const fits = (room * frameSeconds).toFixed(1);
      notes.add(
        `warning: after this prompt the model's ${positions} positions have room for ${fits} s of speech`,
      );
    }
    utterances.push({
      tokens: Int32Array.from(tokens),
      codes: context.codes,
      seed: request.seed,
      maxFrames: asked,
    });
  }
  const width = Math.min(MAX_WIDTH, lines.length);
  const kvType = request.kvType === "auto" ? (unquantised ? "f32" : "f16") : request.kvType;
  return {
    params: { utterances, width, kvType, sampling: { ...sampling, ...defined(request.sampling) } },
    notes: [...notes],
  };
}

function refuseLongPrompt(length: number, most: number): void {
  if (length <= most) return;
  throw new UserError(
    "usage",
    "CONTEXT_TOO_LONG",
    `the earlier turns and the text take ${length} positions, and the model has ${most}`,
    "Give fewer or shorter earlier turns, or a shorter text.",
  );
}

function defined(sampling: SpeechRequest["sampling"]): Partial<SpeechSampling> {
  return Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined));
}
