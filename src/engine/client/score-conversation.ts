import type { SpeechLoss } from "../host/protocol.js";
import type { Turn } from "../speech/turn.js";
import { encodeTurns } from "./speech-prompt.js";
import type { SpeechSession } from "./speech-session.js";

/**
 * How well a speech model predicts the audio of a conversation: transformers' losses with the labels of
 * CsmProcessor(output_labels=True) and depth_decoder_labels_ratio 1.
 * @throws UserError of encodeTurns; CONTEXT_TOO_LONG (exit 2)
 * @throws AbortError
 */
export async function* scoreConversation(
  session: SpeechSession,
  turns: readonly Turn[],
  signal: AbortSignal,
): AsyncGenerator<{ done: number; total: number }, SpeechLoss & { notes: readonly string[] }> {
  const { tokens, codes, notes } = await encodeTurns(session, turns, signal);
  const { audioEndToken, eosCode } = session.facts.speech!;
  const prompt = { tokens: Int32Array.from(tokens), codes };
  const losses = yield* session.score({ ...prompt, audioEndToken, eosCode }, signal);
  return { ...losses, notes };
}
