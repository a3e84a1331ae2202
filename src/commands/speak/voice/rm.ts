import { Args } from "@oclif/core";
import { VoiceStore } from "../../../engine/speech/voice-store.js";
import { BaseCommand } from "../../../ui/base-command.js";

export default class SpeakVoiceRm extends BaseCommand {
  static override summary = "remove voices that are kept";
  static override examples = ["<%= config.bin %> <%= command.id %> anna"];
  static override args = {
    name: Args.string({
      ignoreStdin: true,
      name: "NAME",
      required: true,
      multiple: true,
      description: "which",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SpeakVoiceRm);
    const store = new VoiceStore();
    // none is removed when one of them is not there
    for (const name of args.name) await store.find(name);
    const removed = [...new Set(args.name)];
    for (const name of removed) await store.remove(name);
    if (flags.json) this.answerJson({ removed });
    else this.note(`removed ${removed.join(", ")}`, flags);
  }
}
