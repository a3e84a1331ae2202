import { Lexer, type Token, type Tokens } from "marked";
import { codeRows } from "./code-rows.js";
import { inlineSpans } from "./inline-spans.js";
import type { Palette } from "./palette.js";
import { tableRows } from "./table-rows.js";
import { wrapSpans } from "./wrap-spans.js";

/** Deeper nesting is shown at this depth. */
const DEEPEST = 8;

/**
 * A piece of Markdown as rows of a terminal.
 * @param source text that has passed the terminal filter
 */
export function markdownRows(source: string, palette: Palette, columns: number): string[] {
  return blocks(new Lexer({ gfm: true }).lex(source), palette, columns, 0);
}

function blocks(tokens: readonly Token[], palette: Palette, columns: number, depth: number): string[] {
  const rows: string[] = [];
  let needsGap = false;
  for (const token of tokens) {
    if (token.type === "space" || token.type === "def") {
      needsGap = rows.length > 0;
      continue;
    }
    const own = block(token, palette, columns, depth);
    if (needsGap && own.length > 0) rows.push("");
    rows.push(...own);
    needsGap = false;
  }
  return rows;
}

function block(token: Token, palette: Palette, columns: number, depth: number): string[] {
  switch (token.type) {
    case "heading":
      return wrapSpans(inlineSpans((token as Tokens.Heading).tokens, palette, palette.heading), { columns });
    case "hr":
      return [palette.dim("─".repeat(Math.max(1, Math.min(columns, 40))))];
    case "code":
      return codeRows((token as Tokens.Code).text, (token as Tokens.Code).lang ?? "", palette, columns);
    case "table":
      return tableRows(token as Tokens.Table, palette, columns);
    case "blockquote":
      return quoted((token as Tokens.Blockquote).tokens, palette, columns, depth);
    case "list":
      return listRows(token as Tokens.List, palette, columns, depth);
    default: {
      const inner = (token as Tokens.Generic).tokens;
      const spans =
        inner === undefined ? [{ text: token.raw.replace(/\n+$/, "") }] : inlineSpans(inner, palette);
      return wrapSpans(spans, { columns });
    }
  }
}

/** Narrower than this beside its mark, a quotation or an item of a list has no room there. */
const NARROWEST = 8;

function quoted(tokens: readonly Token[], palette: Palette, columns: number, depth: number): string[] {
  const room = columns - 2;
  if (room < NARROWEST) return blocks(tokens, palette, columns, depth + 1);
  return blocks(tokens, palette, room, depth + 1).map((row) => `${palette.dim("│")} ${row}`);
}

function listRows(list: Tokens.List, palette: Palette, columns: number, depth: number): string[] {
  return list.items.flatMap((item, i) => {
    const number = list.ordered ? `${Number(list.start || 1) + i}. ` : "• ";
    const mark = number + (item.task ? (item.checked === true ? "[x] " : "[ ] ") : "");
    const room = columns - mark.length;
    const inner = item.tokens.filter(({ type }) => type !== "checkbox");
    const gap = list.loose && i > 0 ? [""] : [];
    // where the terminal is too narrow, or the list too deep, the mark stands above its item
    if (room < NARROWEST || depth >= DEEPEST) {
      const marks = wrapSpans([{ text: mark.trim() }], { columns });
      return [...gap, ...marks, ...blocks(inner, palette, columns, depth + 1)];
    }
    const [first = "", ...rest] = blocks(inner, palette, room, depth + 1);
    const indent = " ".repeat(number.length);
    return [...gap, mark + first, ...rest.map((row) => (row === "" ? "" : indent + row))];
  });
}
