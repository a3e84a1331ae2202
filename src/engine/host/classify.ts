import { KeptContext } from "./kept-context.js";
import { nativeModel } from "./llama-binding.js";
import type { NativeClassify } from "./native-addon.js";
import { notANumber } from "./not-a-number.js";
import type { ClassifyParams } from "./protocol.js";
import type { TextModel } from "./text-model.js";

/** Tokens of a native call. Short texts share one; longer texts take several. */
const BATCH_TOKENS = 512;
/** Most texts in one native call. */
const SEQUENCES = 32;

/** One text's place in a native call. */
interface Part {
  text: number;
  tokens: readonly number[];
  /** position of the first of them */
  start: number;
  sequence: number;
}

/** Evaluates classification heads; its context stays for later calls. */
export class HeadEvaluator {
  private readonly kept = new KeptContext<NativeClassify>();

  constructor(private readonly text: TextModel) {}

  /**
   * Logits of each text, [rows, classes]. Several short texts are computed at a time, which changes a result by no
   * more than the rounding of float32.
   * @throws UserError NOT_A_NUMBER (exit 65)
   * @throws AbortError
   */
  classify(params: ClassifyParams, signal: AbortSignal): AsyncGenerator<ClassifyProgress, Float32Array[]> {
    const needed = params.texts.reduce((most, tokens) => Math.max(most, tokens.length), BATCH_TOKENS);
    const create = (size: number): NativeClassify => this.create(size, params);
    return this.kept.use(needed, create, signal, (native) => evaluate(native, params, signal));
  }

  dispose(): void {
    this.kept.dispose();
  }

  private create(contextSize: number, { kvType, flashAttention, threads }: ClassifyParams): NativeClassify {
    return new this.text.binding.addon.ParleyClassify(nativeModel(this.text.model), {
      contextSize,
      batchSize: BATCH_TOKENS,
      sequences: SEQUENCES,
      kvType,
      flashAttention,
      swaFull: false,
      threads,
    });
  }
}

interface ClassifyProgress {
  readonly done: number;
  readonly total: number;
}

async function* evaluate(
  native: NativeClassify,
  { texts, classes, rows }: ClassifyParams,
  signal: AbortSignal,
): AsyncGenerator<ClassifyProgress, Float32Array[]> {
  const results = texts.map(
    (tokens) => new Float32Array((rows === "last" ? Math.min(1, tokens.length) : tokens.length) * classes),
  );
  const total = texts.reduce((sum, tokens) => sum + tokens.length, 0);
  let done = 0;
  for (const parts of nativeCalls(texts)) {
    signal.throwIfAborted();
    if (parts[0]!.start === 0) native.clear();
    const logits = await native.evaluate(...columns(parts, texts, rows));
    if (logits.some(Number.isNaN)) throw notANumber("the logits of the head are not numbers");
    let offset = 0;
    for (const { text, tokens, start } of parts) {
      const ends = start + tokens.length === texts[text]!.length;
      const count = (rows === "all" ? tokens.length : ends ? 1 : 0) * classes;
      const at = rows === "all" ? start * classes : 0;
      results[text]!.set(logits.subarray(offset, offset + count), at);
      offset += count;
      done += tokens.length;
    }
    yield { done, total };
  }
  return results;
}

/** Texts in their order: as many whole ones as fit a call, or a long one piece by piece. */
function* nativeCalls(texts: readonly number[][]): Generator<Part[]> {
  let shared: Part[] = [];
  let filled = 0;
  for (const [text, tokens] of texts.entries()) {
    if (filled + tokens.length > BATCH_TOKENS || shared.length === SEQUENCES) {
      if (shared.length > 0) yield shared;
      shared = [];
      filled = 0;
    }
    if (tokens.length > BATCH_TOKENS) {
      for (let start = 0; start < tokens.length; start += BATCH_TOKENS) {
        yield [{ text, tokens: tokens.slice(start, start + BATCH_TOKENS), start, sequence: 0 }];
      }
    } else if (tokens.length > 0) {
      shared.push({ text, tokens, start: 0, sequence: shared.length });
      filled += tokens.length;
    }
  }
  if (shared.length > 0) yield shared;
}

function columns(
  parts: readonly Part[],
  texts: readonly number[][],
  rows: "last" | "all",
): [tokens: Int32Array, positions: Int32Array, sequences: Int32Array, outputs: Uint8Array] {
  const entries = parts.flatMap(({ text, tokens, start, sequence }) =>
    tokens.map((token, i) => ({
      token,
      position: start + i,
      sequence,
      output: rows === "all" || start + i === texts[text]!.length - 1 ? 1 : 0,
    })),
  );
  return [
    Int32Array.from(entries, ({ token }) => token),
    Int32Array.from(entries, ({ position }) => position),
    Int32Array.from(entries, ({ sequence }) => sequence),
    Uint8Array.from(entries, ({ output }) => output),
  ];
}
