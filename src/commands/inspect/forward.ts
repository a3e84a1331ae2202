import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Args, Flags } from "@oclif/core";
import { checkTokens } from "../../engine/client/check-tokens.js";
import { UserError } from "../../engine/errors.js";
import { tokenListFrom } from "../../ui/chat-flags.js";
import { modelFlags } from "../../ui/model-flags.js";
import { openTextModel } from "../../ui/open-text-model.js";
import { safeLine } from "../../ui/safe-text.js";
import { KV_TYPES } from "../../engine/host/protocol.js";
import { BaseCommand } from "../../ui/base-command.js";

export default class InspectForward extends BaseCommand {
  static override summary = "run a model once and write logits, hidden states or attention weights as .npy";
  static override description = [
    "logits.npy [T, vocab], hidden_states.npy [layers+1, T, hidden], attentions.npy [layers, heads, T, T], float32, with",
    "the meaning these fields have in transformers: hidden_states[0] is the embeddings, [i] the output of layer i, the last",
    "one taken after the final norm. Prints the likeliest next tokens. A TEXT gets the token that begins a text, if the",
    "tokenizer adds one. For exact comparison use --kv-type f32.",
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
    text: Args.string({ ignoreStdin: true, name: "TEXT", description: "the text to run" }),
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
    const progress = this.progress(flags);
    const { facts, session } = await openTextModel({
      model: args.model,
      flags,
      progress,
      signal: this.signal,
    });
    try {
      const tokens =
        flags.tokens !== undefined
          ? tokenListFrom(flags.tokens, "--tokens")
          : [...facts.prefixTokens, ...(await session.tokenize(args.text ?? "", { special: false }))];
      checkTokens(tokens, facts);
      const folder = flags.out === undefined ? "" : path.resolve(flags.out);
      if (folder !== "") await makeFolder(folder);
      const outputs = {
        ...(flags.logits ? { logits: path.join(folder, "logits.npy") } : {}),
        ...(flags["hidden-states"] ? { hiddenStates: path.join(folder, "hidden_states.npy") } : {}),
        ...(flags.attentions ? { attentions: path.join(folder, "attentions.npy") } : {}),
      };
      const run = session.forward(
        {
          tokens,
          kvType: flags["kv-type"],
          flashAttention: "off",
          swaFull: flags["swa-full"],
          batchSize: flags["batch-size"],
          threads: session.threads,
          outputs,
          sizes: {
            layers: facts.layers,
            heads: facts.heads,
            hidden: facts.hidden,
            vocabulary: facts.vocabulary,
          },
          top: flags.top,
        },
        this.signal,
      );
      let step = await run.next();
      for (; step.done !== true; step = await run.next()) {
        progress.update({ label: "running the model", ...step.value, unit: "tokens" });
      }
      progress.finish();
      const { top, shapes } = step.value;
      const pieces = await session.pieces(top.map(({ id }) => id));
      const next = top.map((entry, i) => ({
        ...entry,
        piece: Buffer.from(pieces[i] ?? []).toString("utf8"),
      }));
      const files = Object.entries(outputs).map(([name, file]) => ({ path: file, shape: shapes[name] }));
      if (flags.json) {
        this.answerJson({ tokens, next, files });
        return;
      }
      const lines = next.map(
        ({ id, logit, probability, piece }) =>
          `${String(id).padStart(7)}  ${(probability * 100).toFixed(2).padStart(6)} %  logit ${logit.toFixed(4).padStart(9)}  ${JSON.stringify(safeLine(piece))}`,
      );
      const written = files.map(({ path: file, shape }) => `${file}  [${shape?.join(", ")}]`);
      this.answer([`likeliest after ${tokens.length} tokens:`, ...lines, ...written].join("\n"));
    } finally {
      await session.close();
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new UserError(
      "cannotCreate",
      "OUTPUT_FOLDER",
      `${folder} cannot be made: ${(error as Error).message}`,
      "Choose another folder with --out.",
    );
  });
}
