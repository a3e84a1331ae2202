import { createNpy, type NpyWriter } from "../formats/npy.js";
import { likeliest } from "./likeliest.js";
import { nativeModel } from "./llama-binding.js";
import type { NativeForward } from "./native-addon.js";
import type { ForwardParams, ForwardResult } from "./protocol.js";
import type { TextModel } from "./text-model.js";

type ForwardSizes = ForwardParams["sizes"];

/**
 * Runs a token sequence once and writes what was asked for, chunk by chunk, so that memory does not grow with
 * its length T. Shapes (float32, as transformers' fields of the same names):
 *   logits        [T, vocab]
 *   hiddenStates  [layers + 1, T, hidden]: embeddings, outputs of the layers, the last one after the final norm
 *   attentions    [layers, heads, T, T]
 * @throws AbortError on abort; no file is left then
 */
export async function* forward(
  text: TextModel,
  params: ForwardParams,
  signal: AbortSignal,
): AsyncGenerator<{ done: number; total: number }, ForwardResult> {
  const { sizes } = params;
  const total = params.tokens.length;
  const wantAttentions = params.outputs.attentions !== undefined;
  const batchSize = Math.min(params.batchSize, total, tokensAtATime(params));
  const native = new text.binding.addon.ParleyForward(nativeModel(text.model), {
    contextSize: total,
    batchSize,
    sequences: 1,
    kvType: params.kvType,
    // fused attention never forms the weights, and only in a full-size cache is a cell's index its position
    flashAttention: wantAttentions ? "off" : params.flashAttention,
    swaFull: params.swaFull || wantAttentions,
    threads: params.threads,
  });
  const abort = () => native.abort();
  signal.addEventListener("abort", abort, { once: true });

  const shapes = outputShapes(params);
  const writers = new Map<string, NpyWriter>();
  try {
    for (const [name, { path, shape }] of Object.entries(shapes)) {
      writers.set(name, await createNpy(path, { dtype: "float32", shape }, { overwrite: true }));
    }
    let last: Float32Array = new Float32Array();
    for (let start = 0; start < total; start += batchSize) {
      const tokens = params.tokens.slice(start, start + batchSize);
      const out = await decodeChunk(native, tokens, writers);
      signal.throwIfAborted();
      last = out.logits.subarray(-sizes.vocabulary);
      await writers.get("logits")?.writeAt(start * sizes.vocabulary, out.logits);
      await writeHidden(writers.get("hiddenStates"), out.hidden, {
        start,
        count: tokens.length,
        total,
        hidden: sizes.hidden,
      });
      await writeAttentions(writers.get("attentions"), out, { start, count: tokens.length, total, sizes });
      yield { done: start + tokens.length, total };
    }
    for (const writer of writers.values()) await writer.commit();
    return {
      top: likeliest(last, params.top),
      shapes: Object.fromEntries(Object.entries(shapes).map(([name, { shape }]) => [name, shape])),
    };
  } catch (error) {
    for (const writer of writers.values()) await writer.abort();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    native.dispose();
  }
}

/** Most bytes of results that are held at a time; a single token may take more. */
const RESULT_BYTES = 64 * 1024 * 1024;

/** So many tokens give about RESULT_BYTES of results, however long the sequence is. */
function tokensAtATime({ tokens, outputs, sizes }: ForwardParams): number {
  const { layers, heads, hidden, vocabulary } = sizes;
  const floats =
    (outputs.logits === undefined ? 0 : vocabulary) +
    (outputs.hiddenStates === undefined ? 0 : (layers + 1) * hidden) +
    (outputs.attentions === undefined ? 0 : layers * heads * tokens.length);
  return Math.max(1, Math.floor(RESULT_BYTES / (4 * Math.max(1, floats))));
}

function outputShapes({
  tokens,
  outputs,
  sizes,
}: ForwardParams): Record<string, { path: string; shape: number[] }> {
  const total = tokens.length;
  const shapes: Record<string, { path: string; shape: number[] }> = {};
  if (outputs.logits !== undefined)
    shapes.logits = { path: outputs.logits, shape: [total, sizes.vocabulary] };
  if (outputs.hiddenStates !== undefined) {
    shapes.hiddenStates = { path: outputs.hiddenStates, shape: [sizes.layers + 1, total, sizes.hidden] };
  }
  if (outputs.attentions !== undefined) {
    shapes.attentions = { path: outputs.attentions, shape: [sizes.layers, sizes.heads, total, total] };
  }
  return shapes;
}

function decodeChunk(
  native: NativeForward,
  tokens: readonly number[],
  writers: ReadonlyMap<string, NpyWriter>,
) {
  return native.decode(Int32Array.from(tokens), {
    logits: writers.has("logits"),
    hiddenStates: writers.has("hiddenStates"),
    attentions: writers.has("attentions"),
  });
}

/** @param values [layers + 1, count, hidden] */
async function writeHidden(
  writer: NpyWriter | undefined,
  values: Float32Array,
  at: { start: number; count: number; total: number; hidden: number },
): Promise<void> {
  if (!writer) return;
  const block = at.count * at.hidden;
  for (let slot = 0; slot * block < values.length; slot++) {
    await writer.writeAt(
      (slot * at.total + at.start) * at.hidden,
      values.subarray(slot * block, (slot + 1) * block),
    );
  }
}

/** @param out attentions [layers, heads, count, cells]; cells beyond the sequence are padding, cells short of it zero */
async function writeAttentions(
  writer: NpyWriter | undefined,
  out: { attentions: Float32Array; cells: number },
  at: { start: number; count: number; total: number; sizes: ForwardSizes },
): Promise<void> {
  if (!writer) return;
  const { layers, heads } = at.sizes;
  const width = Math.min(out.cells, at.total);
  for (let head = 0; head < layers * heads; head++) {
    const rows = new Float32Array(at.count * at.total);
    for (let row = 0; row < at.count; row++) {
      const from = (head * at.count + row) * out.cells;
      rows.set(out.attentions.subarray(from, from + width), row * at.total);
    }
    await writer.writeAt((head * at.total + at.start) * at.total, rows);
  }
}
