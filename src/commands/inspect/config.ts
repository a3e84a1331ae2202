import { Flags } from "@oclif/core";
import { diffConfigs } from "../../engine/inspect/config-diff.js";
import { jsonValue } from "../../engine/inspect/json-value.js";
import { modelConfig, type ModelConfig } from "../../engine/inspect/model-config.js";
import { withModel } from "../../engine/inspect/open-model.js";
import { understand } from "../../engine/inspect/understand.js";
import { BaseCommand } from "../../ui/base-command.js";
import { configDiffView, configView } from "../../ui/inspect/config-view.js";
import { modelArgument } from "../../ui/inspect/inspect-flags.js";
import { viewOptions } from "../../ui/inspect/view-options.js";

interface NamedConfig {
  readonly name: string;
  readonly family: string;
  readonly architecture: string | undefined;
  readonly config: ModelConfig;
}

export default class InspectConfig extends BaseCommand {
  static override summary = "show every value of a configuration, what it means and where it comes from";
  static override description = [
    "file: config.json says so; default: the class of transformers does; derived: it follows from other values. Both layouts",
    "of transformers (4 and 5) give the same table. Values that cannot be are named all at once, with what can (exit code 65).",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> facebook/cwm",
    "<%= config.bin %> <%= command.id %> ./cwm --diff ./cwm-q8_0.gguf",
    "<%= config.bin %> <%= command.id %> sesame/csm-1b --json",
  ];
  static override args = { model: modelArgument };
  static override flags = {
    diff: Flags.string({ helpValue: "OTHER", description: "show what differs from another model" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectConfig);
    const read = (name: string): Promise<NamedConfig> =>
      withModel(name, { offline: flags.offline, signal: this.signal }, async (open) => {
        const model = understand(open);
        const { family, architecture } = model;
        return { name, family: family.name, architecture, config: modelConfig(model) };
      });
    const left = await read(args.model);
    const view = viewOptions(this.colours(process.stdout));
    if (flags.diff === undefined) {
      if (flags.json) this.answerJson(documentOf(left));
      else this.answer(configView(left.config.rows, view));
      return;
    }
    const right = await read(flags.diff);
    const diff = diffConfigs(left.config, right.config);
    if (flags.json) this.answerJson({ left: left.name, right: right.name, ...diff });
    else this.answer(configDiffView(diff, [left.name, right.name], view));
  }
}

function documentOf({ name, family, architecture, config }: NamedConfig): object {
  const values = config.rows.map((row) => ({ ...row, value: jsonValue(row.value) }));
  return { model: name, family, architecture: architecture ?? null, from: config.from, values };
}
