import type { ChalkInstance } from "chalk";
import type { Palette } from "./palette.js";
import type { Span } from "./span.js";

/** Longer code is shown plain: highlighting takes about a millisecond per 5,000 characters. */
const LONGEST = 30_000;

/** The part of highlight.js that is used. Its own types bring the browser's globals into every file. */
interface Highlighter {
  getLanguage(name: string): unknown;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { value: string };
}

const LIBRARY: string = "highlight.js/lib/common";

let library: Highlighter | undefined;

/** Loads highlight.js with its common languages, once, when code first appears. */
export async function loadHighlighter(): Promise<void> {
  library ??= ((await import(LIBRARY)) as { default: Highlighter }).default;
}

/** Code as styled text; plain while the library is not loaded, for languages it does not know, and when very long. */
export function highlightCode(code: string, language: string, palette: Palette): Span[] {
  if (library?.getLanguage(language) === undefined || code.length > LONGEST) return [{ text: code }];
  const html = library.highlight(code, { language, ignoreIllegals: true }).value;
  return fromHtml(html, palette);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };

/** highlight.js writes nothing but <span class="hljs-...">, </span> and five entities. */
function fromHtml(html: string, palette: Palette): Span[] {
  const spans: Span[] = [];
  const open: (ChalkInstance | undefined)[] = [];
  for (const [part, tag] of html.matchAll(/(<[^>]*>)|[^<]+/g)) {
    if (tag === undefined) {
      const text = part.replaceAll(/&(amp|lt|gt|quot|#x27);/g, (_, name: string) => ENTITIES[name]!);
      spans.push({ text, style: open.at(-1) });
    } else if (part === "</span>") open.pop();
    else open.push(styleOf(part, palette) ?? open.at(-1));
  }
  return spans;
}

function styleOf(tag: string, { syntax }: Palette): ChalkInstance | undefined {
  const classes = /class="([^"]*)"/.exec(tag)?.[1]?.split(" ") ?? [];
  const name = classes[0]?.replace(/^hljs-/, "") ?? "";
  return syntax[`${name}.${classes[1] ?? ""}`] ?? syntax[name];
}
