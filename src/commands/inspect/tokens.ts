import { Args, Flags } from "@oclif/core";
import { modelFlags } from "../../ui/model-flags.js";
import { openTextModel } from "../../ui/open-text-model.js";
import { safeLine } from "../../ui/safe-text.js";
import { textOrStdin } from "../../ui/read-prompt.js";
import { BaseCommand } from "../../ui/base-command.js";

export default class InspectTokens extends BaseCommand {
  static override summary = "show how a text falls into tokens";
  static override description =
    "A line per token: id, byte offset, piece. Strings such as <|eot_id|> are read as text, unless --special is given. " +
    "No token is added at the beginning.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> facebook/cwm "def f(x):"',
    '<%= config.bin %> <%= command.id %> ./model.gguf "<|eot_id|>" --special --json',
  ];
  static override args = {
    model: Args.string({
      ignoreStdin: true,
      name: "MODEL",
      required: true,
      description: "file, folder, Hub id or bundled name",
    }),
    text: Args.string({
      ignoreStdin: true,
      name: "TEXT",
      required: true,
      description: "the text; - means stdin",
    }),
  };
  static override flags = {
    special: Flags.boolean({ description: "read special token strings as tokens" }),
    ...modelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectTokens);
    const text = await textOrStdin(args.text);
    const { session } = await openTextModel({
      model: args.model,
      flags,
      progress: this.progress(flags),
      signal: this.signal,
    });
    try {
      const ids = await session.tokenize(text, { special: flags.special });
      const pieces = await session.pieces(ids);
      // half a character has no text of its own; its bytes follow from the offsets
      const texts = pieces.map((bytes) => Buffer.from(bytes).toString("utf8"));
      let end = 0;
      const offsets = pieces.map((bytes) => (end += bytes.length) - bytes.length);
      if (flags.json) {
        this.answerJson({ ids, pieces: texts, offsets });
        return;
      }
      const lines = ids.map(
        (id, i) =>
          `${String(id).padStart(7)} ${String(offsets[i]).padStart(7)}  ${JSON.stringify(safeLine(texts[i] ?? ""))}`,
      );
      this.answer([`${"id".padStart(7)} ${"byte".padStart(7)}  piece`, ...lines].join("\n"));
    } finally {
      await session.close();
    }
  }
}
