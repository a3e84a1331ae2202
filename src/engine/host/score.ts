import { KeptContext } from "./kept-context.js";
import { nativeModel } from "./llama-binding.js";
import type { NativeScore } from "./native-addon.js";
import { notANumber } from "./not-a-number.js";
import type { ScoreParams, ScoreSum } from "./protocol.js";
import type { TextModel } from "./text-model.js";

/** Tokens of a native call. */
const BATCH_TOKENS = 512;
/** Most bytes of logits a native call may leave behind: a row takes 0.6 MB for a vocabulary of 150,000. */
const LOGIT_BYTES = 160 * 1024 * 1024;

/** Sums up losses; its context stays for later calls. */
export class LossEvaluator {
  private readonly kept = new KeptContext<NativeScore>();

  constructor(private readonly text: TextModel) {}

  /**
   * The loss of the scored tokens of all windows. Each window is a sequence of its own.
   * @throws UserError NOT_A_NUMBER (exit 65)
   * @throws AbortError
   */
  score(params: ScoreParams, signal: AbortSignal): AsyncGenerator<ScoreProgress, ScoreSum> {
    const create = (size: number): NativeScore => this.create(size, params);
    return this.kept.use(params.windowSize, create, signal, (native) => sumUp(native, params, signal));
  }

  dispose(): void {
    this.kept.dispose();
  }

  private create(contextSize: number, { kvType, flashAttention, threads }: ScoreParams): NativeScore {
    return new this.text.binding.addon.ParleyScore(nativeModel(this.text.model), {
      contextSize,
      batchSize: Math.min(BATCH_TOKENS, contextSize),
      sequences: 1,
      kvType,
      flashAttention,
      swaFull: false,
      threads,
    });
  }
}

interface ScoreProgress {
  readonly done: number;
  readonly total: number;
}

async function* sumUp(
  native: NativeScore,
  { windows, vocabulary }: ScoreParams,
  signal: AbortSignal,
): AsyncGenerator<ScoreProgress, ScoreSum> {
  const rows = Math.max(16, Math.floor(LOGIT_BYTES / 4 / vocabulary));
  const total = windows.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const sum: ScoreSum = { loss: 0, tokens: 0 };
  let done = 0;
  for (const { tokens, first } of windows) {
    // the last token of a window is only asked for
    const inputs = tokens.subarray(0, -1);
    const targets = Int32Array.from(inputs, (_, i) => (i + 1 < first ? -1 : tokens[i + 1]!));
    for (const { start, end } of pieces(inputs.length, first - 1, rows)) {
      signal.throwIfAborted();
      sum.loss += await native.score(inputs.slice(start, end), targets.slice(start, end), start === 0);
      if (Number.isNaN(sum.loss)) throw notANumber("the loss is not a number");
      yield { done: done + end, total };
    }
    sum.tokens += Math.max(0, tokens.length - first);
    done += tokens.length;
  }
  return sum;
}

/** Cuts `count` inputs, of which those from `scored` on give logits, so that no piece gives more than `rows`. */
function* pieces(count: number, scored: number, rows: number): Generator<{ start: number; end: number }> {
  for (let start = 0; start < count;) {
    const silent = Math.max(0, scored - start);
    const end = Math.min(count, start + Math.min(BATCH_TOKENS, silent + rows));
    yield { start, end };
    start = end;
  }
}
