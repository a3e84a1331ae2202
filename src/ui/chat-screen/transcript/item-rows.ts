import type { SafeText } from "../../safe-text.js";
import { safeText } from "../../safe-text.js";
import type { Block } from "./block.js";
import { highlightCode } from "./highlight-code.js";
import { markdownRows } from "./markdown-rows.js";
import { pairRows } from "./pair-rows.js";
import type { Palette } from "./palette.js";
import type { Span } from "./span.js";
import type { TranscriptItem } from "./transcript-item.js";
import { wrapSpans } from "./wrap-spans.js";

/** How much of a long message of the user is shown, in rows. */
const USER_ROWS = 40;

/** The rows of a finished part at the width of the terminal. */
export function itemRows(item: TranscriptItem, palette: Palette, columns: number): string[] {
  switch (item.kind) {
    case "user":
      return ["", ...userRows(safeText(item.text), palette, columns)];
    case "block":
      return blockRows(item.block, palette, columns);
    case "thinking":
      return wrapSpans([{ text: item.text, style: palette.dim }], { columns, indent: ["  ", "  "] });
    case "thought": {
      const how = item.shown ? "" : " (Ctrl-O shows it)";
      return wrapSpans([{ text: `thought for ${item.seconds.toFixed(1)} s${how}`, style: palette.dim }], {
        columns,
      });
    }
    case "note":
      return wrapSpans([{ text: item.text, style: toneStyle(item.tone, palette) }], { columns });
    case "lines":
      return item.lines.flatMap((line) => wrapSpans([{ text: line }], { columns }));
    case "pairs":
      return pairRows(item.pairs, columns);
  }
}

/** The rows of a part of an answer; the blank row before it included. */
export function blockRows(block: Block, palette: Palette, columns: number): string[] {
  const indent = columns - block.indent >= 8 ? block.indent : 0;
  const room = columns - indent;
  const rows =
    block.kind === "markdown"
      ? markdownRows(block.source, palette, room)
      : codeBlockRows(block, palette, room);
  const moved = indent === 0 ? rows : rows.map((row) => " ".repeat(indent) + row);
  return block.gap ? ["", ...moved] : moved;
}

function codeBlockRows(block: Extract<Block, { kind: "code" }>, palette: Palette, columns: number): string[] {
  const name = block.language.split(/[\s{]/, 1)[0]!;
  const spans = behind(
    highlightCode(block.before + block.code, name.toLowerCase(), palette),
    block.before.length,
  );
  const rows = wrapSpans(spans, { columns, indent: ["  ", "  "], at: "cells" });
  const isFirst = block.before === "" && name !== "";
  return isFirst ? [palette.dim(name.slice(0, Math.max(1, columns))), ...rows] : rows;
}

/** The spans without their first characters. */
function behind(spans: readonly Span[], characters: number): Span[] {
  const rest: Span[] = [];
  let left = characters;
  for (const span of spans) {
    if (left >= span.text.length) left -= span.text.length;
    else {
      rest.push({ ...span, text: span.text.slice(left) });
      left = 0;
    }
  }
  return rest;
}

function userRows(text: SafeText, palette: Palette, columns: number): string[] {
  const indent: readonly [string, string] = ["> ", "  "];
  // what is far beyond the last row shown need not be wrapped
  const most = USER_ROWS * Math.max(columns, 40) * 2;
  const rows = wrapSpans([{ text: text.slice(0, most), style: palette.user }], { columns, indent });
  const more = rows.length > USER_ROWS || text.length > most;
  if (!more) return rows;
  const lines = text.split("\n").length;
  return [...rows.slice(0, USER_ROWS), palette.dim(`  … (${lines} lines, ${text.length} characters in all)`)];
}

function toneStyle(tone: "info" | "warning" | "error", palette: Palette): Palette["dim"] {
  if (tone === "error") return palette.error;
  return tone === "warning" ? palette.warning : palette.dim;
}
