import { Args, Flags, type Interfaces } from "@oclif/core";
import { checkTokens } from "../../engine/client/check-tokens.js";
import type { ModelFacts } from "../../engine/client/model-facts.js";
import { UserError } from "../../engine/errors.js";
import { KV_TYPES, type ForwardResult } from "../../engine/host/protocol.js";
import { BaseCommand } from "../../ui/base-command.js";
import { tokenListFrom } from "../../ui/chat-flags.js";
import { findModel } from "../../ui/find-model.js";
import { outputsOf, writtenFiles } from "../../ui/forward-outputs.js";
import { forwardText, type ForwardReport } from "../../ui/forward-report.js";
import { modelFlags } from "../../ui/model-flags.js";
import { requireTextModel } from "../../ui/model-use.js";
import { openSpeechModel } from "../../ui/open-speech-model.js";
import { textOrStdin } from "../../ui/read-prompt.js";
import { openTextModel } from "../../ui/open-text-model.js";
import type { Progress } from "../../ui/progress.js";

export default class InspectForward extends BaseCommand {
  static override summary = "run a model once and write logits, hidden states or attention weights as .npy";
  static override description = [
    "logits.npy [T, vocab], hidden_states.npy [layers+1, T, hidden], attentions.npy [layers, heads, T, T], float32, with",
    "the meaning these fields have in transformers: hidden_states[0] is the embeddings, [i] the output of layer i, the last",
    "one taken after the final norm. Prints the likeliest next tokens. A TEXT gets the token that begins a text, if the",
    "tokenizer adds one. Of a speech model the backbone is run: its text ids, logits of codebook 0, always exact.",
    "For exact comparison use --kv-type f32.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./model-f32.gguf "def f(x):" --logits --out out --kv-type f32',
    "<%= config.bin %> <%= command.id %> ./checkpoint --tokens 1,2,3 --hidden-states --attentions --out out",
  ];
  static override args = {
    model: Args.string({
      ignoreStdin: true,
      name: "MODEL",
      required: true,
      description: "file, folder, Hub id or bundled name",
    }),
    text: Args.string({ ignoreStdin: true, name: "TEXT", description: "the text to run; - means stdin" }),
  };
  static override flags = {
    tokens: Flags.string({ helpValue: "1,2,3", description: "token ids instead of a text" }),
    logits: Flags.boolean({ description: "write logits.npy" }),
    "hidden-states": Flags.boolean({ description: "write hidden_states.npy" }),
    attentions: Flags.boolean({ description: "write attentions.npy" }),
    out: Flags.string({ helpValue: "DIR", description: "folder for the files; made if need be" }),
    top: Flags.integer({
      min: 1,
      max: 100,
      default: 5,
      description: "how many of the likeliest next tokens to show",
    }),
    "kv-type": Flags.option({
      options: KV_TYPES,
      default: "f16" as const,
      description: "type of the cache",
    })(),
    "swa-full": Flags.boolean({ description: "full-size caches for sliding layers" }),
    "batch-size": Flags.integer({
      min: 1,
      max: 4096,
      default: 256,
      description: "tokens evaluated at a time",
    }),
    ...modelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectForward);
    if ((args.text === undefined) === (flags.tokens === undefined)) {
      throw new UserError(
        "usage",
        "USAGE",
        "Give either TEXT or --tokens.",
        'parley inspect forward MODEL "hello" --logits --out DIR',
      );
    }
    const wanted = Boolean(flags.logits || flags["hidden-states"] || flags.attentions);
    if (wanted !== (flags.out !== undefined)) {
      throw new UserError(
        "usage",
        "USAGE",
        "--out and at least one of --logits, --hidden-states, --attentions go together.",
      );
    }
    const text = args.text === undefined ? undefined : await textOrStdin(args.text);
    const progress = this.progress(flags);
    const facts = await findModel({ model: args.model, flags, progress, signal: this.signal });
    if (flags.logits && !facts.speech) requireTextModel(facts);
    const listed = flags.tokens === undefined ? undefined : tokenListFrom(flags.tokens, "--tokens");
    const job = { facts, text, listed, progress };
    const report = await (facts.speech ? this.runBackbone(job, flags) : this.runText(job, flags));
    progress.finish();
    if (flags.json) this.answerJson(report);
    else this.answer(forwardText(report));
  }

  private async runText(job: Job, flags: ForwardFlags): Promise<ForwardReport> {
    const { facts, progress } = job;
    const { session } = await openTextModel({ model: facts.path, flags, progress, signal: this.signal });
    try {
      const tokens = await tokensFrom(job, (text) => session.tokenize(text, { special: false }));
      const { layers, heads, hidden, vocabulary } = facts;
      const outputs = await outputsOf(flags);
      const run = session.forward(
        {
          tokens,
          kvType: flags["kv-type"],
          flashAttention: "off",
          swaFull: flags["swa-full"],
          batchSize: flags["batch-size"],
          threads: session.threads,
          outputs,
          sizes: { layers, heads, hidden, vocabulary },
          top: flags.top,
        },
        this.signal,
      );
      const result = await this.follow(run, progress);
      // a classifier has no matrix over the vocabulary
      const top = facts.classifier ? [] : result.top;
      const pieces = await session.pieces(top.map(({ id }) => id));
      const next = top.map((one, i) => ({ ...one, piece: Buffer.from(pieces[i] ?? []).toString("utf8") }));
      return { tokens, next, files: writtenFiles(outputs, result) };
    } finally {
      await session.close();
    }
  }

  private async runBackbone(job: Job, flags: ForwardFlags): Promise<ForwardReport> {
    const { facts, progress } = job;
    const opened = { flags: { ...flags, model: facts.path }, progress, signal: this.signal };
    const session = await openSpeechModel(opened);
    try {
      const tokens = await tokensFrom(job, (text) => session.tokenize(text, this.signal));
      const outputs = await outputsOf(flags);
      const prompt = { tokens: Int32Array.from(tokens), codes: new Int32Array() };
      const run = session.forward({ ...prompt, heads: facts.heads, outputs, top: flags.top }, this.signal);
      const result = await this.follow(run, progress);
      // ids of codebook 0 stand for no text
      return { tokens, next: result.top, files: writtenFiles(outputs, result) };
    } finally {
      await session.close();
    }
  }

  private async follow(
    run: AsyncGenerator<{ done: number; total: number }, ForwardResult>,
    progress: Progress,
  ): Promise<ForwardResult> {
    let step = await run.next();
    for (; step.done !== true; step = await run.next()) {
      progress.update({ label: "running the model", ...step.value, unit: "tokens" });
    }
    return step.value;
  }
}

interface Job {
  facts: ModelFacts;
  text: string | undefined;
  /** ids instead of a text */
  listed: number[] | undefined;
  progress: Progress;
}

type ForwardFlags = Interfaces.InferredFlags<typeof InspectForward.flags> &
  Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

/** The given ids, or those of the text behind the tokens that begin every text. */
async function tokensFrom(
  { facts, text, listed }: Job,
  tokenize: (text: string) => Promise<number[]>,
): Promise<number[]> {
  const tokens = listed ?? [...facts.prefixTokens, ...(await tokenize(text ?? ""))];
  checkTokens(tokens, facts);
  return tokens;
}
