import type { CheckpointTexts } from "../families/family.js";
import { badFile } from "../formats/bad-file.js";
import { localCheckpointSource, type CheckpointSource } from "../formats/checkpoint-source.js";
import { decodeUtf8 } from "../formats/utf8.js";

/** [file name, largest size in bytes, code of the error when it is larger or no UTF-8] */
const FILES = [
  ["config.json", 10_000_000, "CONFIG_JSON"],
  ["generation_config.json", 10_000_000, "CONFIG_JSON"],
  ["tokenizer.json", 256_000_000, "TOKENIZER_JSON"],
  ["tokenizer_config.json", 10_000_000, "TOKENIZER_JSON"],
  ["chat_template.jinja", 10_000_000, "TEMPLATE_ENCODING"],
  ["README.md", 10_000_000, "README_ENCODING"],
] as const;

/**
 * Reads the small text files of a checkpoint, as far as they are there.
 * @param source a folder, or the files of a repository
 * @param options.without names of files that are not wanted
 * @throws UserError CHECKPOINT_NOT_FOUND, NOT_A_FILE (exit 66), CONFIG_JSON, TOKENIZER_JSON, TEMPLATE_ENCODING (exit 65)
 */
export async function readCheckpointTexts(
  source: string | CheckpointSource,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Promise<CheckpointTexts> {
  const files = typeof source === "string" ? localCheckpointSource(source) : source;
  const present = new Set(await files.fileNames());
  const texts = new Map<string, string>();
  for (const [name, limit, code] of FILES) {
    if (!present.has(name) || without.includes(name)) continue;
    const text = await readText(files, name, limit, code);
    if (text !== undefined) texts.set(name, text);
  }
  return { label: files.label, text: (name) => texts.get(name) };
}

async function readText(
  files: CheckpointSource,
  name: string,
  limit: number,
  code: string,
): Promise<string | undefined> {
  const file = await files.open(name);
  const hint = `Download ${name} again from the checkpoint's repository.`;
  try {
    if (file.size > limit) {
      throw badFile(code, file.label, `the file has ${file.size} bytes, the most allowed is ${limit}`, hint);
    }
    const { text, invalidAt } = decodeUtf8(await file.read(0, file.size));
    if (text !== undefined) return text;
    // The model card is decoration: a broken one costs its licence line, nothing else.
    if (name === "README.md") return undefined;
    throw badFile(code, file.label, `byte ${invalidAt} is not UTF-8`, hint);
  } finally {
    await file.close();
  }
}
