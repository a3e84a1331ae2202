import { escapeForMessage } from "../../engine/formats/escape.js";
import { ModelStore, type StoredModel } from "../../engine/hub/model-store.js";
import { formatBytes } from "../../engine/system/format-bytes.js";
import { BaseCommand } from "../../ui/base-command.js";
import { plainTable } from "../../ui/plain-table.js";

export default class ModelsList extends BaseCommand {
  static override summary = "list the converted models with type, family, size and last use";
  static override examples = ["<%= config.bin %> models", "<%= config.bin %> models list --json"];

  async run(): Promise<void> {
    const { flags } = await this.parse(ModelsList);
    const store = new ModelStore();
    const models = await store.list();
    const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
    if (flags.json) {
      this.answerJson({ folder: store.folder, bytes, models: models.map(modelDocument) });
      return;
    }
    if (models.length > 0) this.answer(tableOf(models));
    const count = models.length === 1 ? "1 model" : `${models.length} models`;
    this.note(`${count}, ${formatBytes(bytes)} in ${store.folder}`, flags);
  }
}

function modelDocument({ id, source, type, family, bytes, path, created, lastUsed }: StoredModel): object {
  return { id, name: source.name, source: source.content, type, family, bytes, path, created, lastUsed };
}

function tableOf(models: readonly StoredModel[]): string {
  const rows = [
    ["NAME", "TYPE", "FAMILY", "SIZE", "LAST USED", "ID"],
    ...models.map(({ source, type, family, bytes, lastUsed, id }) => [
      escapeForMessage(source.name),
      type,
      family,
      formatBytes(bytes),
      lastUsed.slice(0, 16).replace("T", " "),
      id,
    ]),
  ];
  return plainTable(rows);
}
