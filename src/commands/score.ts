import { Flags } from "@oclif/core";
import { checkTokens } from "../engine/client/check-tokens.js";
import { scoreText, type ScoreInput, type TextScore } from "../engine/client/score-text.js";
import type { ModelFacts } from "../engine/client/model-facts.js";
import type { TextSession } from "../engine/client/text-session.js";
import { UserError } from "../engine/errors.js";
import { KV_TYPES } from "../engine/host/protocol.js";
import { textPieces } from "../engine/score/text-pieces.js";
import { BaseCommand } from "../ui/base-command.js";
import { tokenListFrom } from "../ui/chat-flags.js";
import { modelAndWord, modelInsteadOfWord, splitModelAndWord } from "../ui/model-argument.js";
import { flashAttention, modelFlags } from "../ui/model-flags.js";
import { requireTextModel } from "../ui/model-use.js";
import { openTextModel } from "../ui/open-text-model.js";
import { openTextInput, type TextInput } from "../ui/text-input.js";

/** A text of so many tokens is one window, if the model's context allows. */
const WHOLE_TOKENS = 8192;
/** Window of longer texts. */
const WINDOW_TOKENS = 512;

const USAGE = "parley score MODEL FILE, or a text on standard input";

export default class Score extends BaseCommand {
  static override summary = "how well a model predicts a text: mean next-token loss and perplexity";
  static override description = [
    `A text of up to ${WHOLE_TOKENS} tokens is one window, and every token but the first is scored: the loss that`,
    "transformers gives with the input ids as labels. A longer text is read in windows of 512 tokens that do not",
    "overlap, and the second half of each is scored, so that every scored token has at least half a window before it",
    "(the default of llama-perplexity). --ctx-size sets both sizes; --stride lets windows overlap: with half a window",
    "every token behind the first half window is scored. The text is scored as it is, line end at the end included;",
    "each window begins with the tokens that the tokenizer puts before a text. Memory does not grow with the file.",
    "For exact comparison use --kv-type f32.",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> ./glm-4-9b-chat-hf book.txt",
    "<%= config.bin %> <%= command.id %> cwm-q8_0.gguf --json < main.py",
    "<%= config.bin %> <%= command.id %> model.gguf book.txt --ctx-size 2048 --stride 1024",
  ];
  static override args = modelAndWord({ name: "FILE", description: "UTF-8 text; - or nothing: stdin" });
  static override flags = {
    tokens: Flags.string({ helpValue: "1,2,3", description: "token ids instead of a text" }),
    "ctx-size": Flags.integer({ char: "c", min: 16, description: "tokens of a window" }),
    stride: Flags.integer({
      min: 1,
      description: "tokens from one window to the next (default: no overlap)",
    }),
    "kv-type": Flags.option({
      options: KV_TYPES,
      default: "f16" as const,
      description: "type of the cache; f32 is exact and turns flash attention off",
    })(),
    model: modelInsteadOfWord,
    ...modelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Score);
    const { model, word: file } = splitModelAndWord(args, flags.model, USAGE);
    const ids = flags.tokens === undefined ? undefined : tokenListFrom(flags.tokens, "--tokens");
    if (file !== undefined && ids !== undefined) {
      throw new UserError("usage", "USAGE", "Give either FILE or --tokens.", USAGE);
    }
    const input = ids === undefined ? await openTextInput(file, USAGE) : undefined;
    const progress = this.progress(flags);
    const { facts, session } = await openTextModel({
      model,
      flags,
      progress,
      signal: this.signal,
      check: requireTextModel,
    }).catch((error: unknown) => {
      input?.close();
      throw error;
    });
    try {
      const windows = windowSizes(facts, flags);
      if (ids) checkTokens(ids, { ...facts, contextLength: Number.POSITIVE_INFINITY });
      const run = scoreText(
        session,
        input ? tokensOf(session, input) : listed(ids ?? []),
        {
          ...windows,
          prefix: input ? facts.prefixTokens : [],
          kvType: flags["kv-type"],
          flashAttention: flashAttention({ ...flags, "flash-attn": "auto" }),
          threads: session.threads,
        },
        this.signal,
      );
      let step = await run.next();
      for (; step.done !== true; step = await run.next()) {
        const { bytes, loss } = step.value;
        const label = Number.isNaN(loss) ? "scoring" : `scoring, loss ${loss.toFixed(3)}`;
        progress.update({ label, done: Math.round(bytes), ...input?.size, unit: "bytes" });
      }
      progress.finish();
      this.show(step.value, windows, flags);
    } finally {
      input?.close();
      await session.close();
    }
  }

  private show(
    { loss, perplexity, tokens, windows }: TextScore,
    { windowSize }: { windowSize: number },
    flags: { json: boolean; quiet: boolean },
  ): void {
    if (tokens === 0) {
      throw new UserError(
        "badFile",
        "NOTHING_TO_SCORE",
        "There is nothing to score: a loss needs a token and one before it.",
        "Give a longer text.",
      );
    }
    if (windows > 1) this.note(`${windows} windows of ${windowSize} tokens, ${tokens} tokens scored`, flags);
    if (flags.json) this.answerJson({ loss, perplexity, tokens });
    else this.answer(`loss ${loss.toFixed(4)}  perplexity ${perplexity.toPrecision(6)}  tokens ${tokens}`);
  }
}

function windowSizes(
  { contextLength, prefixTokens }: ModelFacts,
  flags: { "ctx-size"?: number | undefined; stride?: number | undefined },
): { wholeSize: number; windowSize: number; stride: number | undefined } {
  const asked = flags["ctx-size"];
  if (asked !== undefined && asked > contextLength) {
    throw new UserError(
      "usage",
      "CONTEXT_SIZE",
      `--ctx-size ${asked} is more than the model's context of ${contextLength} tokens.`,
    );
  }
  const windowSize = asked ?? Math.min(WINDOW_TOKENS, contextLength);
  const longest = windowSize - prefixTokens.length;
  if (flags.stride !== undefined && flags.stride > longest) {
    throw new UserError(
      "usage",
      "STRIDE",
      `--stride ${flags.stride} leaves tokens out: a window holds ${longest} tokens of the text.`,
    );
  }
  return { windowSize, wholeSize: asked ?? Math.min(WHOLE_TOKENS, contextLength), stride: flags.stride };
}

async function* tokensOf(session: TextSession, { stream, name }: TextInput): AsyncGenerator<ScoreInput> {
  for await (const { text, bytes } of textPieces(stream, name)) {
    yield { tokens: await session.tokenize(text, { special: false }), bytes };
  }
}

async function* listed(tokens: number[]): AsyncGenerator<ScoreInput> {
  yield { tokens, bytes: 0 };
}
