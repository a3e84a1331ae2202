import type { TraceEngine } from "../../../src/engine/client/trace-engine.js";
import type {
  GenerateEvent,
  GenerateParams,
  GenerateResult,
  WeighParams,
  WeighResult,
} from "../../../src/engine/host/protocol.js";
import { TRACE_MARKS, type TraceMark } from "../../../src/engine/trace/trace-tokens.js";
import { byteIds, bytesOf, byteTokens } from "../trace/stored-traces.js";

/** Text in which the strings of the marks stand for the tokens. */
export function markedIds(text: string): number[] {
  return text.split(/(<\|\w+\|>)/).flatMap((part) => {
    const mark = (Object.keys(TRACE_MARKS) as TraceMark[]).find((name) => TRACE_MARKS[name] === part);
    return mark === undefined ? byteIds(part) : [byteTokens[mark]];
  });
}

/**
 * A model that says what a script says: the script is a function of the frames so far and gives the next one. It
 * weighs the event of that frame with 0.9 and the others with little, and records what it was asked.
 */
export class ScriptedTraceEngine implements TraceEngine {
  readonly generated: GenerateParams[] = [];
  readonly weighed: number[][] = [];

  /** @param next tokens that follow; empty for the end of the trace */
  constructor(private readonly next: (tokens: readonly number[]) => readonly number[]) {}

  /** Answers with these frames in turn, whatever the frames before say. */
  static playing(frames: readonly string[]): ScriptedTraceEngine {
    return new ScriptedTraceEngine((tokens) => {
      const before = tokens.filter((id) => id === byteTokens.frame).length - 1;
      const frame = frames[before];
      return frame === undefined ? [byteTokens.end] : markedIds(frame);
    });
  }

  tokenize(text: string, { special }: { special: boolean }): Promise<number[]> {
    return Promise.resolve(special ? markedIds(text) : byteIds(text));
  }

  pieces(ids: number[]): Promise<Uint8Array[]> {
    return Promise.resolve(
      ids.map((id) => {
        const mark = (Object.keys(byteTokens) as TraceMark[]).find((name) => byteTokens[name] === id);
        return mark === undefined ? bytesOf(id) : Buffer.from(TRACE_MARKS[mark]);
      }),
    );
  }

  weigh({ tokens, candidates }: WeighParams): Promise<WeighResult> {
    this.weighed.push(tokens);
    const [first] = this.next(tokens);
    const probabilities = candidates.map((id) => (id === first ? 0.9 : 0.02));
    return Promise.resolve({ probabilities, reusedTokens: 0 });
  }

  async *generate(
    params: GenerateParams,
    signal?: AbortSignal,
  ): AsyncGenerator<GenerateEvent, GenerateResult> {
    this.generated.push(params);
    const given = params.tokens.slice(0, params.tokens.findLastIndex((id) => id === byteTokens.frame) + 1);
    const written = params.tokens.length - given.length;
    const result: GenerateResult = {
      stopReason: "stop",
      promptTokens: params.tokens.length,
      reusedTokens: 0,
      generatedTokens: 0,
      firstTokenMs: 0,
      promptMs: 0,
      generateMs: 0,
    };
    for (const id of this.next(given).slice(written)) {
      if (signal?.aborted) return { ...result, stopReason: "interrupted" };
      if (params.stopTokens.includes(id)) return { ...result, stopToken: id };
      if (result.generatedTokens === params.maxTokens) return { ...result, stopReason: "length" };
      result.generatedTokens++;
      yield { kind: "tokens", ids: [id], bytes: bytesOf(id), probabilities: [0.5] };
    }
    return { ...result, stopToken: byteTokens.frame };
  }
}
