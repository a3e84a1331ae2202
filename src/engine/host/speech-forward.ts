import { createNpy, type NpyWriter } from "../formats/npy.js";
import { likeliest } from "./likeliest.js";
import type { ForwardResult, ForwardSpeechParams } from "./protocol.js";
import type { SpeechModel } from "./speech-model.js";

/** Most bytes of attention weights that are held at a time; a single position may take more. */
const RESULT_BYTES = 16 * 1024 * 1024;

/**
 * Runs the backbone of a speech model once and writes what was asked for, in the shapes of forward(); logits are
 * those of codebook 0. Hidden states and logits of a whole prompt are held, attention weights a few rows at a time.
 * @throws UserError CONTEXT_TOO_LONG (exit 2)
 * @throws AbortError on abort; no file is left then
 */
export async function* forwardSpeech(
  model: SpeechModel,
  { tokens, codes, outputs, heads, top }: ForwardSpeechParams,
  signal: AbortSignal,
): AsyncGenerator<{ done: number; total: number }, ForwardResult> {
  const { layers, hidden, audioVocabulary } = model.facts;
  const total = tokens.length;
  const shapes: Record<string, number[]> = {
    ...(outputs.logits === undefined ? {} : { logits: [total, audioVocabulary] }),
    ...(outputs.hiddenStates === undefined ? {} : { hiddenStates: [layers + 1, total, hidden] }),
    ...(outputs.attentions === undefined ? {} : { attentions: [layers, heads, total, total] }),
  };
  const writers = new Map<string, NpyWriter>();
  try {
    const { states, logits } = await model.backbone(tokens, codes, {
      keepForAttention: outputs.attentions !== undefined,
      signal,
    });
    for (const [name, shape] of Object.entries(shapes)) {
      const path = outputs[name as keyof typeof outputs]!;
      writers.set(name, await createNpy(path, { dtype: "float32", shape }, { overwrite: true }));
    }
    await writers.get("logits")?.write(logits);
    await writers.get("hiddenStates")?.write(states);
    const attentions = writers.get("attentions");
    const rows = Math.max(1, Math.floor(RESULT_BYTES / (4 * heads * total)));
    for (let layer = 0; attentions && layer < layers; layer++) {
      for (let first = 0; first < total; first += rows) {
        const count = Math.min(rows, total - first);
        const weights = await model.attention(layer, first, count);
        signal.throwIfAborted();
        for (let head = 0; head < heads; head++) {
          const block = weights.subarray(head * count * total, (head + 1) * count * total);
          await attentions.writeAt(((layer * heads + head) * total + first) * total, block);
        }
        yield { done: layer * total + first + count, total: layers * total };
      }
    }
    for (const writer of writers.values()) await writer.commit();
    return { top: likeliest(logits.subarray(-audioVocabulary), top), shapes };
  } catch (error) {
    for (const writer of writers.values()) await writer.abort();
    throw error;
  }
}
