import { notANumber } from "./not-a-number.js";
import type { ScoreSpeechParams, SpeechLoss } from "./protocol.js";
import { AUDIO_FRAME, type SpeechModel } from "./speech-model.js";

/** Frames that the depth decoder reads at a time. */
const FRAMES_AT_A_TIME = 64;

/**
 * Losses of a conversation as CsmForConditionalGeneration computes them for labels of CsmProcessor(output_labels=True)
 * with depth_decoder_labels_ratio 1: the backbone is asked for codebook 0 of every frame, the depth decoder for the
 * others. The token that ends audio counts as a frame of eos codes for both.
 * @throws UserError CONTEXT_TOO_LONG (exit 2), NOT_A_NUMBER (exit 65)
 * @throws AbortError
 */
export async function* scoreSpeech(
  model: SpeechModel,
  { tokens, codes, audioEndToken, eosCode }: ScoreSpeechParams,
  signal: AbortSignal,
): AsyncGenerator<{ done: number; total: number }, SpeechLoss> {
  const { codebooks, audioVocabulary, hidden } = model.facts;
  const { states, logits } = await model.backbone(tokens, codes, { signal });
  const normed = states.subarray(-tokens.length * hidden);

  // frames that are predicted: their position, and their codes [codebooks]
  const frames: { position: number; codes: Int32Array }[] = [];
  const end = new Int32Array(codebooks).fill(eosCode);
  let used = 0;
  tokens.forEach((id, position) => {
    const own = id === AUDIO_FRAME ? codes.subarray(used, (used += codebooks)) : end;
    if (position > 0 && (id === AUDIO_FRAME || id === audioEndToken)) frames.push({ position, codes: own });
  });

  let backbone = 0;
  for (const { position, codes: own } of frames) {
    backbone += loss(logits, (position - 1) * audioVocabulary, audioVocabulary, own[0]!);
  }
  let depth = 0;
  for (let start = 0; start < frames.length; start += FRAMES_AT_A_TIME) {
    const part = frames.slice(start, start + FRAMES_AT_A_TIME);
    const before = new Float32Array(part.length * hidden);
    const own = new Int32Array(part.length * codebooks);
    part.forEach((frame, i) => {
      before.set(normed.subarray((frame.position - 1) * hidden, frame.position * hidden), i * hidden);
      own.set(frame.codes, i * codebooks);
    });
    const rows = (await model.depth(before, own, signal)).logits;
    for (let i = 0; i < part.length; i++) {
      for (let book = 1; book < codebooks; book++) {
        const row = (i * (codebooks - 1) + book - 1) * audioVocabulary;
        depth += loss(rows, row, audioVocabulary, own[i * codebooks + book]!);
      }
    }
    yield { done: start + part.length, total: frames.length };
  }
  if (Number.isNaN(backbone + depth)) throw notANumber("the loss is not a number");
  const backbone_loss = backbone / frames.length;
  const depth_decoder_loss = depth / (frames.length * (codebooks - 1));
  return { loss: backbone_loss + depth_decoder_loss, backbone_loss, depth_decoder_loss };
}

/** -ln softmax(row)[target] */
function loss(logits: Float32Array, start: number, count: number, target: number): number {
  let max = -Infinity;
  for (let i = start; i < start + count; i++) max = Math.max(max, logits[i]!);
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += Math.exp(logits[i]! - max);
  return max + Math.log(sum) - logits[start + target]!;
}
