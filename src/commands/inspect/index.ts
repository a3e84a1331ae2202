import { estimateMemory } from "../../engine/inspect/memory.js";
import { withModel } from "../../engine/inspect/open-model.js";
import { BATCH, overviewOf } from "../../engine/inspect/overview.js";
import { runningWeights } from "../../engine/inspect/running-weights.js";
import { understand } from "../../engine/inspect/understand.js";
import { BaseCommand } from "../../ui/base-command.js";
import { modelArgument } from "../../ui/inspect/inspect-flags.js";
import { overviewPage } from "../../ui/inspect/overview-page.js";
import { viewOptions } from "../../ui/inspect/view-options.js";

/** Context of a chat that nobody gave another one. */
const USUAL_CONTEXT = 8192;

export default class Inspect extends BaseCommand {
  static override summary = "show what a model is, on one page";
  static override description = [
    "Family, sizes, type, attention per layer, cache and memory, tokenizer, template, licence. Headers are read, no weights:",
    "of a model on the Hub a few hundred kilobytes. Needs no compiled engine.",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> facebook/cwm",
    "<%= config.bin %> <%= command.id %> ./model-q4_k_m.gguf",
    "<%= config.bin %> <%= command.id %> ./glm-4-9b-chat-hf --json",
  ];
  static override args = { model: modelArgument };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const options = { offline: flags.offline, signal: this.signal };
    const { overview, memory } = await withModel(args.model, options, async (open) => {
      const model = understand(open);
      const overview = overviewOf(model);
      const context = Math.min(USUAL_CONTEXT, overview.sizes.context_length ?? USUAL_CONTEXT);
      const memory = estimateMemory(model, runningWeights(model, "auto"), {
        contexts: [context],
        cacheType: "f16",
        sliding: "window",
        batch: BATCH,
        gpuLayers: 0,
      });
      return { overview, memory };
    });
    if (flags.json) this.answerJson({ ...overview, memory });
    else this.answer(overviewPage(overview, memory, viewOptions(this.colours(process.stdout))));
  }
}
