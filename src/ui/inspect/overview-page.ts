import type { MemoryEstimate } from "../../engine/inspect/memory.js";
import type { Overview } from "../../engine/inspect/overview.js";
import { formatBytes } from "../../engine/system/format-bytes.js";
import { safeLine } from "../safe-text.js";
import { attentionStrip } from "./attention-strip.js";
import { counted, field, grouped, parameterCount, table, wrap, type ViewOptions } from "./layout.js";
import { partsDrawing } from "./parts-drawing.js";

/** Longer lines are hard to read. */
const PAGE_COLUMNS = 100;

/** `parley inspect MODEL` for people: one page. */
export function overviewPage(model: Overview, memory: MemoryEstimate, options: ViewOptions): string {
  const columns = Math.min(options.columns, PAGE_COLUMNS);
  const view = { ...options, columns };
  const { colours } = view;
  const line = (label: string, text: string | null): string[] =>
    text === null ? [] : field(label, text, view);
  const architecture = model.architecture === null ? "" : ` · ${safeLine(model.architecture)}`;
  return [
    ...heading(safeLine(model.name), `${model.family_title}${architecture}`, view),
    ...wrap(
      safeLine(model.revision === null ? model.model : `${model.model}@${model.revision}`, {
        maxLength: 500,
      }),
      columns,
    ).map((text) => colours.dim(text)),
    "",
    ...line(
      "parameters",
      `${parameterCount(model.parameters)} (${grouped(model.parameters)}) in ${grouped(model.tensors)} tensors`,
    ),
    ...line(
      "type",
      `${model.type}, ${formatBytes(model.bytes)}${model.files > 1 ? ` in ${model.files} files` : ""}: ${typeList(model)}`,
    ),
    ...(model.parts.length > 0 ? ["", ...partsDrawing(model.parts, view)] : decoderLines(model, view)),
    "",
    ...line("context", contextText(model)),
    ...field("cache", cacheText(model), view),
    ...line("memory", memoryText(memory)),
    "",
    ...line("tokenizer", tokenizerText(model)),
    ...line("template", templateText(model)),
    ...line("labels", labelsText(model)),
    ...line("sampling", samplingText(model)),
    ...line("licence", licenceText(model)),
    ...model.notes.flatMap((note) => field("note", safeLine(note, { maxLength: 1000 }), view)),
  ].join("\n");
}

/** On one line where there is room. */
function heading(name: string, family: string, { columns, colours }: ViewOptions): string[] {
  if (name.length + 2 + family.length <= columns) return [`${colours.bold(name)}  ${family}`];
  return [...wrap(name, columns).map((line) => colours.bold(line)), ...wrap(family, columns)];
}

function typeList({ types, tensors }: Overview): string {
  if (types.length === 1) return `all ${tensors} tensors`;
  return types.map(({ type, bytes }) => `${type} ${formatBytes(bytes)}`).join(", ");
}

function decoderLines({ sizes, attention }: Overview, view: ViewOptions): string[] {
  const shape = [
    `${grouped(sizes.layers ?? 0)} × ${grouped(sizes.hidden_size ?? 0)} wide`,
    `${sizes.heads} heads of ${sizes.head_dim} sharing ${sizes.key_value_heads} key and value heads`,
    `feed-forward ${grouped(sizes.feed_forward ?? 0)}`,
  ].join(", ");
  return [
    ...field("layers", shape, view),
    ...field("attention", attentionStrip(attention, view.columns - 16), view),
  ];
}

function contextText({ sizes, rope }: Overview): string {
  const theta = rope.theta === null ? "" : `, RoPE base ${grouped(rope.theta)}`;
  const partial = rope.rotated !== null && rope.rotated !== sizes.head_dim;
  const rotated = partial ? `, ${rope.rotated} of ${sizes.head_dim} elements rotated` : "";
  const scaling = rope.scaling === null ? "" : `, scaled as ${safeLine(rope.scaling)}`;
  return `${grouped(sizes.context_length ?? 0)} tokens${theta}${rotated}${scaling}`;
}

function cacheText({ cache, attention }: Overview): string {
  const slides = attention.window !== null;
  const rows = cache.map(({ tokens, bytes, bytes_without_window }) => [
    `${grouped(tokens)} tokens`,
    formatBytes(bytes),
    ...(slides ? [`(without the window ${formatBytes(bytes_without_window)})`] : []),
  ]);
  return table(rows, [0, 1]).join("\n");
}

function memoryText({ rows }: MemoryEstimate): string {
  const [first] = rows;
  if (!first) return "";
  return `${formatBytes(first.total)} at ${grouped(first.context)} tokens (parley inspect memory shows more)`;
}

function tokenizerText({ tokenizer, sizes }: Overview): string {
  const { bos, end_ids, kind, split } = tokenizer;
  const named = [kind, split].filter((part) => part !== null).map((part) => safeLine(part));
  const count = sizes.vocabulary === null ? [] : [`${grouped(sizes.vocabulary)} tokens`];
  const begin =
    bos.id === null && bos.text === null
      ? []
      : [`begins ${[bos.text === null ? "" : safeLine(bos.text), bos.id ?? ""].join(" ").trim()}`];
  const ends = end_ids.length === 0 ? [] : [`ends ${end_ids.slice(0, 8).join(" ")}`];
  return [...named, ...count, ...begin, ...ends].join(", ");
}

function templateText({ template }: Overview): string {
  if (template === null) return "none";
  const skills = [template.thinks ? "switches thinking" : "", template.tools ? "knows tools" : ""];
  return [
    `${counted(template.lines, "line")}, ${formatBytes(template.bytes)}`,
    ...skills.filter(Boolean),
  ].join(", ");
}

function labelsText({ labels }: Overview): string | null {
  if (labels.length === 0) return null;
  const shown = labels.slice(0, 12).map((label) => safeLine(label, { maxLength: 40 }));
  return `${labels.length}: ${shown.join(", ")}${labels.length > 12 ? ", ..." : ""}`;
}

function samplingText({ generation }: Overview): string | null {
  const parts = Object.entries(generation).map(([flag, value]) => `${flag} ${value}`);
  return parts.length === 0 ? null : parts.join(", ");
}

function licenceText({ licence }: Overview): string {
  const parts = [licence.name ?? licence.id, licence.link].filter((part) => part !== null);
  return parts.length === 0 ? "not stated in the files" : parts.map((part) => safeLine(part)).join(", ");
}
