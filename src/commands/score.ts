import { Flags, type Interfaces } from "@oclif/core";
import { checkTokens } from "../engine/client/check-tokens.js";
import { scoreConversation } from "../engine/client/score-conversation.js";
import { scoreText, type ScoreInput, type TextScore } from "../engine/client/score-text.js";
import type { TextSession } from "../engine/client/text-session.js";
import { UserError } from "../engine/errors.js";
import { KV_TYPES } from "../engine/host/protocol.js";
import { textPieces } from "../engine/score/text-pieces.js";
import { readTurns } from "../engine/speech/turn.js";
import { BaseCommand } from "../ui/base-command.js";
import { tokenListFrom } from "../ui/chat-flags.js";
import { findModel } from "../ui/find-model.js";
import { modelAndWord, modelInsteadOfWord, splitModelAndWord } from "../ui/model-argument.js";
import { flashAttention, modelFlags } from "../ui/model-flags.js";
import { requireTextModel } from "../ui/model-use.js";
import { openSpeechModel } from "../ui/open-speech-model.js";
import { openTextModel } from "../ui/open-text-model.js";
import type { Progress } from "../ui/progress.js";
import { WHOLE_TOKENS, windowSizes } from "../ui/window-sizes.js";
import { openTextInput, type TextInput } from "../ui/text-input.js";

const USAGE = "parley score MODEL FILE, or a text on standard input";

export default class Score extends BaseCommand {
  static override summary = "how well a model predicts a text, or the audio of a conversation";
  static override description = [
    "The mean next-token loss of a text in nats, and its perplexity. For a speech model FILE is a conversation,",
    '[{"speaker": 0, "text": "...", "audio": "a.wav"}, ...]: the losses of codebook 0 (backbone) and of the others (depth',
    "decoder) over every frame of all turns, and their sum, as transformers computes them.",
    "",
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
    "<%= config.bin %> <%= command.id %> sesame/csm-1b turns.json --json",
  ];
  static override args = modelAndWord({
    name: "FILE",
    description: "UTF-8 text (- or nothing: stdin), or TURNS.json",
  });
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
    const tokens = flags.tokens === undefined ? undefined : tokenListFrom(flags.tokens, "--tokens");
    if (file !== undefined && tokens !== undefined) {
      throw new UserError("usage", "USAGE", "Give either FILE or --tokens.", USAGE);
    }
    const progress = this.progress(flags);
    const facts = await findModel({ model, flags, progress, signal: this.signal });
    const job = { model: facts.path, file, tokens, progress };
    await (facts.speech ? this.scoreTurns(job, flags) : this.scoreWords(job, flags));
  }

  private async scoreTurns({ model, file, progress }: Job, flags: ScoreFlags): Promise<void> {
    if (file === undefined) {
      const usage = "parley score MODEL TURNS.json";
      throw new UserError("usage", "USAGE", "A speech model scores a conversation with its audio.", usage);
    }
    const turns = await readTurns(file);
    if (turns.length === 0) throw nothingToScore("The conversation has no turns.");
    const session = await openSpeechModel({ flags: { ...flags, model }, progress, signal: this.signal });
    try {
      const run = scoreConversation(session, turns, this.signal);
      let step = await run.next();
      for (; step.done !== true; step = await run.next()) {
        progress.update({ label: "scoring frames", ...step.value });
      }
      progress.finish();
      const { notes, ...losses } = step.value;
      for (const note of notes) this.note(note, flags);
      if (flags.json) this.answerJson(losses);
      else {
        const { loss, backbone_loss, depth_decoder_loss } = losses;
        this.answer(
          `loss ${loss.toFixed(4)}  backbone ${backbone_loss.toFixed(4)}  depth decoder ${depth_decoder_loss.toFixed(4)}`,
        );
      }
    } finally {
      await session.close();
    }
  }

  private async scoreWords({ model, file, tokens: ids, progress }: Job, flags: ScoreFlags): Promise<void> {
    const input = ids === undefined ? await openTextInput(file, USAGE) : undefined;
    const check = requireTextModel;
    const open = openTextModel({ model, flags, progress, signal: this.signal, check, inBatches: true });
    const { facts, session } = await open.catch((error: unknown) => {
      input?.close();
      throw error;
    });
    try {
      const windows = windowSizes(facts, flags);
      if (ids) checkTokens(ids, { ...facts, contextLength: Number.POSITIVE_INFINITY });
      const options = {
        ...windows,
        prefix: input ? facts.prefixTokens : [],
        kvType: flags["kv-type"],
        flashAttention: flashAttention({ ...flags, "flash-attn": "auto" }),
        threads: session.threads,
      };
      const inputs = input ? tokensOf(session, input) : listed(ids ?? []);
      const run = scoreText(session, inputs, options, this.signal);
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
      throw nothingToScore("There is nothing to score: a loss needs a token and one before it.");
    }
    if (windows > 1) this.note(`${windows} windows of ${windowSize} tokens, ${tokens} tokens scored`, flags);
    if (flags.json) this.answerJson({ loss, perplexity, tokens });
    else this.answer(`loss ${loss.toFixed(4)}  perplexity ${perplexity.toPrecision(6)}  tokens ${tokens}`);
  }
}

function nothingToScore(message: string): UserError {
  return new UserError("badFile", "NOTHING_TO_SCORE", message, "Give a longer one.");
}

interface Job {
  /** the GGUF file */
  model: string;
  file: string | undefined;
  tokens: number[] | undefined;
  progress: Progress;
}

type ScoreFlags = Interfaces.InferredFlags<typeof Score.flags> &
  Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

async function* tokensOf(session: TextSession, { stream, name }: TextInput): AsyncGenerator<ScoreInput> {
  for await (const { text, bytes } of textPieces(stream, name)) {
    yield { tokens: await session.tokenize(text, { special: false }), bytes };
  }
}

async function* listed(tokens: number[]): AsyncGenerator<ScoreInput> {
  yield { tokens, bytes: 0 };
}
