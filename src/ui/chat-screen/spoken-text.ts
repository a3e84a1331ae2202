import { Lexer, type Token, type Tokens } from "marked";

/**
 * The words of an answer as somebody would read them aloud: without marks, addresses and code blocks, a line per
 * paragraph, item or row of a table.
 * @returns "" when nothing of it can be read
 */
export function spokenText(markdown: string): string {
  return new Lexer({ gfm: true })
    .lex(markdown)
    .flatMap(lines)
    .map((line) => line.replaceAll(/\s+/g, " ").trim())
    .filter((line) => /[\p{L}\p{N}]/u.test(line))
    .map(withEnd)
    .join("\n");
}

function lines(token: Token): string[] {
  switch (token.type) {
    case "code":
    case "space":
    case "def":
    case "hr":
    case "html":
      return [];
    case "list":
      return (token as Tokens.List).items.flatMap((item) => item.tokens.flatMap(lines));
    case "blockquote":
      return (token as Tokens.Blockquote).tokens.flatMap(lines);
    case "table": {
      const { header, rows } = token as Tokens.Table;
      return [header, ...rows].map((row) => row.map(({ tokens }) => words(tokens)).join(", "));
    }
    default:
      return [words([token])];
  }
}

function words(tokens: readonly Token[]): string {
  return tokens.map(wordsOf).join("");
}

function wordsOf(token: Token): string {
  switch (token.type) {
    case "codespan":
    case "escape":
    case "image":
      return (token as Tokens.Codespan).text;
    case "br":
      return " ";
    case "checkbox":
    case "html":
      return "";
    case "link": {
      const { href, text, tokens } = token as Tokens.Link;
      return text === href || /^https?:/.test(text) ? "a link" : words(tokens);
    }
    default: {
      const { tokens } = token as Tokens.Generic;
      return tokens === undefined ? token.raw : words(tokens);
    }
  }
}

/** A line that ends like no sentence gets a full stop, or it would be read in one breath with the next. */
function withEnd(line: string): string {
  return /[\p{L}\p{N})\]"'”’]$/u.test(line) ? `${line}.` : line;
}
