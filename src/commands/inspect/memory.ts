import { Flags } from "@oclif/core";
import { UserError } from "../../engine/errors.js";
import { estimateMemory } from "../../engine/inspect/memory.js";
import { withModel } from "../../engine/inspect/open-model.js";
import { BATCH } from "../../engine/inspect/overview.js";
import { runningWeights } from "../../engine/inspect/running-weights.js";
import { understand, type KnownModel } from "../../engine/inspect/understand.js";
import { parseOutputType } from "../../engine/tensors/output-type.js";
import { BaseCommand } from "../../ui/base-command.js";
import { modelArgument } from "../../ui/inspect/inspect-flags.js";
import { memoryView } from "../../ui/inspect/memory-view.js";
import { viewOptions } from "../../ui/inspect/view-options.js";
import { contextFlags, modelFlags } from "../../ui/model-flags.js";

const USUAL_CONTEXTS = "8192,32768,131072";

export default class InspectMemory extends BaseCommand {
  static override summary = "estimate what running a model takes, by context length";
  static override description = [
    "Weights, cache by kind of layer, compute buffers, and the sum. For a checkpoint, what its conversion on first use gives",
    "(--type). Needs no compiled engine and does not load the model.",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> facebook/cwm",
    "<%= config.bin %> <%= command.id %> ./model-q4_k_m.gguf --ctx 4096,max --kv-type q8_0",
    "<%= config.bin %> <%= command.id %> ./cwm --type q8_0 --swa-full --json",
  ];
  static override args = { model: modelArgument };
  static override flags = {
    ctx: Flags.string({
      helpValue: "N,...|max",
      description:
        "context lengths in tokens (default: 8192, 32768 and 131072, as far as the model has them)",
    }),
    type: modelFlags.type,
    "kv-type": contextFlags["kv-type"],
    "swa-full": contextFlags["swa-full"],
    "gpu-layers": Flags.integer({
      min: 0,
      default: 0,
      description: "layers on the GPU, the last ones first; the output is one more",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectMemory);
    const type = parseOutputType(flags.type);
    const options = { offline: flags.offline, signal: this.signal };
    const estimate = await withModel(args.model, options, async (open) => {
      const model = understand(open);
      return estimateMemory(model, runningWeights(model, type), {
        contexts: contextsFrom(flags.ctx, contextLength(model)),
        cacheType: flags["kv-type"],
        sliding: flags["swa-full"] ? "whole" : "window",
        batch: BATCH,
        gpuLayers: flags["gpu-layers"],
      });
    });
    if (flags.json) this.answerJson({ model: args.model, ...estimate });
    else this.answer(memoryView(estimate, viewOptions(this.colours(process.stdout))));
  }
}

function contextLength({ family, values }: KnownModel): number {
  return values.number(`${family.ggufArchitecture}.context_length`) ?? 0;
}

/** The lengths asked for; by default the usual ones, or all of a shorter context. */
function contextsFrom(given: string | undefined, most: number): number[] {
  if (given === undefined) {
    const usual = USUAL_CONTEXTS.split(",")
      .map(Number)
      .filter((context) => context <= most);
    return usual.length > 0 ? usual : [most];
  }
  return given.split(",").map((part) => {
    const text = part.trim();
    const context = text === "max" ? most : Number(text);
    if (Number.isInteger(context) && context >= 1 && context <= 2 ** 31 - 1) return context;
    throw new UserError(
      "usage",
      "USAGE",
      `--ctx: "${text.slice(0, 40)}" is no number of tokens`,
      "Write --ctx 4096,32768 or --ctx max.",
    );
  });
}
