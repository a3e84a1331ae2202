import { Flags } from "@oclif/core";
import { resolveGpu } from "../../engine/build/gpu.js";
import { runStats } from "../../engine/client/run-stats.js";
import { UserError } from "../../engine/errors.js";
import { escapeForMessage } from "../../engine/formats/escape.js";
import { compileGlob } from "../../engine/hub/glob.js";
import { withModel, type ModelTensor } from "../../engine/inspect/open-model.js";
import type { TensorStats } from "../../engine/inspect/tensor-stats.js";
import { BaseCommand } from "../../ui/base-command.js";
import { ensureEngine } from "../../ui/ensure-engine.js";
import { modelArgument } from "../../ui/inspect/inspect-flags.js";
import { tensorsView } from "../../ui/inspect/tensors-view.js";
import { viewOptions } from "../../ui/inspect/view-options.js";

export default class InspectTensors extends BaseCommand {
  static override summary = "list the tensors of a model, with --stats their numbers";
  static override description = [
    "Shapes have the outermost dimension first, in checkpoints and GGUF files alike. --stats reads the weights in constant",
    "memory; quantised ones are expanded by the engine. NaN and infinities are counted and left out of the other numbers.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./model.gguf --filter "blk.0.*"',
    "<%= config.bin %> <%= command.id %> ./checkpoint --stats",
    "<%= config.bin %> <%= command.id %> facebook/cwm --json",
  ];
  static override args = { model: modelArgument };
  static override flags = {
    filter: Flags.string({
      helpValue: "GLOB",
      description: 'only tensors that match, "*" also matches dots',
    }),
    stats: Flags.boolean({ description: "min, max, mean, standard deviation and NaN count of each" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectTensors);
    const options = { offline: flags.offline, signal: this.signal };
    const { tensors, isRemote } = await withModel(args.model, options, async (model) => ({
      tensors: filtered(model.tensors, flags.filter),
      isRemote: model.origin !== undefined,
    }));
    if (flags.stats && isRemote) {
      const hint = `parley download ${escapeForMessage(args.model)}, then give the folder it prints.`;
      throw new UserError("usage", "STATS_REMOTE", "--stats reads the weights, and they are not here", hint);
    }
    const stats = flags.stats ? await this.gather(tensors, flags) : undefined;
    if (flags.json) {
      this.answerJson({
        model: args.model,
        tensors: tensors.map(({ name, type, shape, bytes }) => {
          return { name, type, shape, bytes, ...(stats ? { stats: stats.get(name) ?? null } : {}) };
        }),
        bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
      });
    } else this.answer(tensorsView(tensors, stats, viewOptions(this.colours(process.stdout))));
  }

  private async gather(
    tensors: readonly ModelTensor[],
    flags: { quiet: boolean },
  ): Promise<Map<string, TensorStats | null>> {
    const progress = this.progress(flags);
    const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    const stats = new Map<string, TensorStats | null>();
    const engine = async () => (await ensureEngine(await resolveGpu("auto"), progress, this.signal)).folder;
    let done = 0;
    for await (const event of runStats(tensors, engine, this.signal)) {
      done += event.bytes;
      if (event.stats !== undefined) stats.set(event.name, event.stats);
      progress.update({ label: "reading", done, total, unit: "bytes" });
    }
    progress.finish();
    return stats;
  }
}

function filtered(tensors: readonly ModelTensor[], pattern: string | undefined): readonly ModelTensor[] {
  if (pattern === undefined) return tensors;
  const glob = compileGlob(pattern);
  const chosen = tensors.filter(({ name }) => glob.test(name));
  if (chosen.length > 0) return chosen;
  throw new UserError(
    "notFound",
    "NO_TENSOR",
    `no tensor matches "${escapeForMessage(pattern)}"`,
    "Leave out --filter to see all names.",
  );
}
