import type { ChalkInstance } from "chalk";
import type { Token, Tokens } from "marked";
import type { Palette } from "./palette.js";
import type { Span } from "./span.js";

/** Inline Markdown (emphasis, code, links) as styled text; marks that do nothing stay as they were written. */
export function inlineSpans(tokens: readonly Token[], palette: Palette, base?: ChalkInstance): Span[] {
  return tokens.flatMap((token) => spansOf(token, palette, base));
}

function spansOf(token: Token, palette: Palette, base: ChalkInstance | undefined): Span[] {
  const inner = (style: ChalkInstance) => inlineSpans((token as Tokens.Generic).tokens ?? [], palette, style);
  switch (token.type) {
    case "strong":
      return inner(combine(base, "bold", palette.strong));
    case "em":
      return inner(combine(base, "italic", palette.emphasis));
    case "del":
      return inner(combine(base, "strikethrough", palette.struck));
    case "codespan":
      return [{ text: (token as Tokens.Codespan).text, style: palette.code }];
    case "br":
      return [{ text: "\n", style: base }];
    case "link":
      return linkSpans(token as Tokens.Link, palette, base);
    case "image":
      return [
        {
          text: `[${(token as Tokens.Image).text || "image"}] (${(token as Tokens.Image).href})`,
          style: base,
        },
      ];
    case "escape":
      return [{ text: (token as Tokens.Escape).text, style: base }];
    case "checkbox":
      return [{ text: (token as { checked?: boolean }).checked === true ? "[x] " : "[ ] ", style: base }];
    default: {
      const nested = (token as Tokens.Generic).tokens;
      return nested === undefined ? [{ text: token.raw, style: base }] : inlineSpans(nested, palette, base);
    }
  }
}

/** The address stands behind the words unless it is them: what a link says and where it leads may differ. */
function linkSpans(link: Tokens.Link, palette: Palette, base: ChalkInstance | undefined): Span[] {
  if (link.raw === link.href || link.text === link.href || `mailto:${link.text}` === link.href) {
    return [{ text: link.text, style: palette.link }];
  }
  return [...inlineSpans(link.tokens, palette, base), { text: ` (${link.href})`, style: palette.dim }];
}

function combine(
  base: ChalkInstance | undefined,
  modifier: "bold" | "italic" | "strikethrough",
  alone: ChalkInstance,
): ChalkInstance {
  return base === undefined ? alone : base[modifier];
}
