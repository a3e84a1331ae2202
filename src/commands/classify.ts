import { Flags } from "@oclif/core";
import { checkLabels, classifyTexts, type ClassifyInput } from "../engine/client/classify-texts.js";
import { UserError } from "../engine/errors.js";
import { KV_TYPES } from "../engine/host/protocol.js";
import { BaseCommand } from "../ui/base-command.js";
import { tokenListFrom } from "../ui/chat-flags.js";
import { classificationDocument, classificationText } from "../ui/classification.js";
import { lineGroups } from "../ui/line-groups.js";
import { modelAndWord, modelInsteadOfWord, splitModelAndWord } from "../ui/model-argument.js";
import { flashAttention, modelFlags } from "../ui/model-flags.js";
import { requireClassifier } from "../ui/model-use.js";
import { openTextModel } from "../ui/open-text-model.js";

/** Texts of standard input that are evaluated between two outputs. */
const TEXTS_AT_A_TIME = 64;

const USAGE = 'parley classify MODEL "text", or a text per line on standard input';

export default class Classify extends BaseCommand {
  static override summary = "label a text, or each of its tokens, with a classification model";
  static override description = [
    "GLM checkpoints with a head for sequences or tokens. Without TEXT, every line of standard input is a text, and",
    "the answers come line by line: label and score, with tabs between them; with --json one document per line.",
    "",
    'Sequences: {"label","score","logits"}. Tokens: {"tokens":[{"text","start","end","label","score","logits"}]}, the',
    "tokens that begin every text included; start and end count characters (Unicode code points, as Python does).",
    "Scores are what transformers' pipelines give: softmax; the sigmoid of each class for one class or problem_type",
    "multi_label_classification; the logit for a regression. --top-k adds the likeliest classes (in JSON as top).",
    "For exact comparison use --kv-type f32.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./glm-tickets "I was billed twice"',
    "<%= config.bin %> <%= command.id %> ./glm-tickets --json < lines.txt > labels.jsonl",
    '<%= config.bin %> <%= command.id %> ./glm-names "Anna went to Paris" --json',
  ];
  static override args = modelAndWord({
    name: "TEXT",
    description: "the text; - or nothing: lines of stdin",
  });
  static override flags = {
    tokens: Flags.string({ helpValue: "1,2,3", description: "token ids instead of a text" }),
    "top-k": Flags.integer({ min: 1, description: "how many classes to show, likeliest first" }),
    "kv-type": Flags.option({
      options: KV_TYPES,
      default: "f16" as const,
      description: "type of the cache; f32 is exact and turns flash attention off",
    })(),
    model: modelInsteadOfWord,
    ...modelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Classify);
    const { model, word } = splitModelAndWord(args, flags.model, USAGE);
    const given = word === "-" ? undefined : word;
    const tokens = flags.tokens === undefined ? undefined : tokenListFrom(flags.tokens, "--tokens");
    if (word !== undefined && tokens !== undefined) {
      throw new UserError("usage", "USAGE", "Give either TEXT or --tokens.", USAGE);
    }
    if (word === undefined && tokens === undefined && process.stdin.isTTY) {
      throw new UserError("usage", "USAGE", "There is no text to classify.", USAGE);
    }
    const progress = this.progress(flags);
    const { facts, session } = await openTextModel({
      model,
      flags,
      progress,
      signal: this.signal,
      check: (found) => checkLabels(requireClassifier(found), found.path),
    });
    const classifier = requireClassifier(facts);
    const options = {
      kvType: flags["kv-type"],
      flashAttention: flashAttention({ ...flags, "flash-attn": "auto" }),
      threads: session.threads,
    };
    const classify = async (inputs: ClassifyInput[]) => {
      const results = await classifyTexts(session, classifier, inputs, options, {
        signal: this.signal,
        onProgress: (state) => progress.update({ label: "classifying", ...state, unit: "tokens" }),
      });
      progress.finish();
      return Promise.all(
        results.map((result) => classificationDocument(session, classifier, result, flags["top-k"])),
      );
    };
    try {
      if (given !== undefined || tokens !== undefined) {
        const [document] = await classify([tokens === undefined ? { text: given! } : { tokens }]);
        if (flags.json) this.answerJson(document);
        else this.answer(classificationText(document!));
        return;
      }
      for await (const lines of lineGroups(process.stdin)) {
        for (let start = 0; start < lines.length; start += TEXTS_AT_A_TIME) {
          const texts = lines.slice(start, start + TEXTS_AT_A_TIME).map((text) => ({ text }));
          const documents = await classify(texts);
          this.answer(
            documents
              .map((document) => (flags.json ? JSON.stringify(document) : classificationText(document)))
              .join("\n"),
          );
        }
      }
    } finally {
      await session.close();
    }
  }
}
