import { escapeForMessage } from "../../../engine/formats/escape.js";
import { VoiceStore } from "../../../engine/speech/voice-store.js";
import { BaseCommand } from "../../../ui/base-command.js";
import { plainTable } from "../../../ui/plain-table.js";

export default class SpeakVoiceList extends BaseCommand {
  static override summary = "list the voices that are kept";
  static override examples = ["<%= config.bin %> <%= command.id %>"];

  async run(): Promise<void> {
    const { flags } = await this.parse(SpeakVoiceList);
    const store = new VoiceStore();
    const voices = [];
    for (const name of await store.names()) {
      try {
        voices.push(await store.read(name));
      } catch (error) {
        this.note(`warning: ${error instanceof Error ? error.message : String(error)}`, flags);
      }
    }
    if (flags.json) {
      const documents = voices.map(({ codes: _, ...voice }) => voice);
      this.answerJson({ folder: store.folder, voices: documents });
      return;
    }
    const rows = voices.map(({ name, speaker, seconds, created, text }) => [
      name,
      String(speaker),
      `${seconds.toFixed(1)} s`,
      created.slice(0, 10),
      escapeForMessage(text, 60),
    ]);
    if (rows.length > 0) this.answer(plainTable([["NAME", "SPEAKER", "LENGTH", "KEPT", "WORDS"], ...rows]));
    this.note(`${rows.length === 1 ? "1 voice" : `${rows.length} voices`} in ${store.folder}`, flags);
  }
}
