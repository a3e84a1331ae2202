import type { Block } from "./block.js";
import { cutWithin } from "./cut-within.js";

/** What is known of the block being written. */
type Open =
  | { kind: "nothing" }
  | { kind: "text"; lines: string[]; shape: Shape; gap: boolean; indent: number }
  | {
      kind: "code";
      fence: string;
      language: string;
      lines: string[];
      before: string;
      gap: boolean;
      indent: number;
    };

type Shape = "paragraph" | "list" | "table" | "quote";

const FENCE = /^( *)(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}#{1,6}(?:\s|$)/;
const ITEM = /^( *)(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;

/** More of a fenced block's earlier code is not kept to decide the highlighting of the rest, in UTF-16 units. */
const LONGEST_BEFORE = 20_000;

/** A table is kept open up to this size, in UTF-16 units. */
const TALLEST_TABLE = 16_000;

/**
 * Markdown that streams, cut into blocks: what push() and end() return is finished for good and can be written above
 * the live part of the screen; open() is the rest. Blocks end at blank lines, headings, fences, and between the items
 * of a list, so the live part stays small.
 */
export class BlockStream {
  #open: Open = { kind: "nothing" };
  /** the last line, without its end */
  #partial = "";
  #blank = false;
  #finished: Block[] = [];
  /** columns of the list item that indented text belongs to; 0: none */
  #listIndent = 0;

  push(text: string): Block[] {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    for (const line of lines) this.#readLine(line);
    return this.#taken();
  }

  end(): Block[] {
    if (this.#partial !== "") this.#readLine(this.#partial);
    this.#partial = "";
    this.#finish();
    this.#blank = false;
    this.#listIndent = 0;
    return this.#taken();
  }

  /** What is still being written, as a block. */
  open(): Block | undefined {
    const open = this.#open;
    if (open.kind === "code") {
      // the first characters of the closing fence are no code
      const partial = open.fence.startsWith(this.#partial.trim()) ? "" : dedent(this.#partial, open.indent);
      const code = [...open.lines, ...(partial === "" ? [] : [partial])].join("\n");
      const { language, before, gap, indent } = open;
      return { kind: "code", language, code, before, gap, indent };
    }
    const lines = open.kind === "text" ? [...open.lines, this.#partial] : [this.#partial];
    const source = lines.join("\n").replace(/\s+$/, "");
    if (source === "") return undefined;
    const gap = open.kind === "text" ? open.gap : this.#blank;
    return { kind: "markdown", source, gap, indent: open.kind === "text" ? open.indent : 0 };
  }

  /**
   * Ends what is open where it has become too tall to be live: its first rows are finished.
   * @param rowsOf rows a block takes on the screen
   */
  shorten(rowsOf: (block: Block) => number, maxRows: number): Block[] {
    const open = this.open();
    // blank row and name of a language need no room: they scroll away first
    const ownRows = (block: Block) =>
      rowsOf({ ...block, gap: false, ...(block.kind === "code" ? { language: "" } : {}) });
    if (open === undefined || ownRows(open) <= maxRows) return [];
    const half = Math.max(1, maxRows >> 1);
    if (this.#open.kind === "code") this.#shortenCode(this.#open, open, ownRows, half);
    else this.#shortenText(open, ownRows, half);
    return this.#taken();
  }

  #shortenCode(
    open: Extract<Open, { kind: "code" }>,
    block: Block,
    rowsOf: (block: Block) => number,
    half: number,
  ) {
    const { lines } = open;
    if (lines.length > 0) {
      // whole lines, as many as half of the room
      const kept = Math.min(lines.length - 1, half);
      this.#finishCode(open, lines.splice(0, lines.length - kept));
      return;
    }
    const part = (code: string): Block => ({ ...block, kind: "code", code }) as Block;
    const at = cutWithin(this.#partial, (text) => rowsOf(part(text)) <= half, { atSpaces: false });
    this.#finishCode(open, [this.#partial.slice(0, at)]);
    this.#partial = this.#partial.slice(at);
  }

  #shortenText(block: Block, rowsOf: (block: Block) => number, half: number): void {
    const { source } = block as Extract<Block, { kind: "markdown" }>;
    // the widths of a table depend on all of it: of a tall one only the end is live
    if (/^ *\|/.test(source) && source.length < TALLEST_TABLE) return;
    const fits = (text: string) => rowsOf({ ...block, source: text } as Block) <= half;
    const at = cutWithin(source, fits, { atSpaces: true });
    const shape = this.#open.kind === "text" ? this.#open.shape : "paragraph";
    const indent = this.#open.kind === "text" ? this.#open.indent : 0;
    const { gap } = block;
    this.#finished.push({ kind: "markdown", source: source.slice(0, at).trimEnd(), gap, indent });
    const rest = source.slice(at).replace(/^ +/, "").split("\n");
    this.#partial = rest.pop()! + trailingSpace(this.#partial);
    this.#open = {
      kind: "text",
      lines: rest,
      shape: shape === "list" ? "list" : "paragraph",
      gap: false,
      indent,
    };
  }

  #readLine(line: string): void {
    const open = this.#open;
    if (open.kind === "code") {
      const closing = line.trim();
      if (closing.startsWith(open.fence) && closing.replaceAll(open.fence[0]!, "") === "") this.#finish();
      else open.lines.push(dedent(line, open.indent));
      return;
    }
    if (line.trim() === "") {
      // an item of a list may go on behind a blank line
      if (open.kind === "text")
        this.#listIndent = open.shape === "list" ? itemIndent(open.lines[0] ?? "") : this.#listIndent;
      this.#finish();
      this.#blank = true;
      return;
    }
    const fence = FENCE.exec(line);
    if (fence !== null) return this.#openFence(fence);
    if (HEADING.test(line)) {
      this.#begin(line, "paragraph");
      this.#finish();
      return;
    }
    const indent = /^ */.exec(line)![0].length;
    const item = ITEM.exec(line);
    if (item !== null && !RULE.test(line)) {
      const isNested = open.kind === "text" && open.shape === "list" && indent >= 2;
      if (isNested) open.lines.push(line);
      else this.#begin(line, "list");
      return;
    }
    if (open.kind === "nothing") {
      const belongs = this.#listIndent > 0 && indent >= Math.min(2, this.#listIndent);
      this.#begin(
        belongs ? dedent(line, this.#listIndent) : line,
        shapeOf(line),
        belongs ? this.#listIndent : 0,
      );
      return;
    }
    const ends =
      (open.shape === "table" && !line.includes("|")) || (open.shape === "quote") !== /^ {0,3}>/.test(line);
    if (ends && open.shape !== "paragraph" && open.shape !== "list") this.#begin(line, shapeOf(line));
    else {
      open.lines.push(open.indent > 0 ? dedent(line, open.indent) : line);
      if (open.shape === "paragraph" && isDelimiterRow(line)) open.shape = "table";
    }
  }

  /** Starts a block of text with its first line; an item nested behind a blank line keeps its place. */
  #begin(line: string, shape: Shape, indent = 0): void {
    const wasList = this.#open.kind === "text" && this.#open.shape === "list";
    const hadOpen = this.#open.kind !== "nothing";
    this.#finish();
    const own = shape === "list" ? /^ */.exec(line)![0].length : 0;
    const gap = this.#blank || (hadOpen && !(wasList && shape === "list"));
    const moved = shape === "list" && own >= 2 ? own : indent;
    this.#open = { kind: "text", lines: [dedent(line, own)], shape, gap, indent: moved };
    this.#blank = false;
    if (shape !== "list" && indent === 0) this.#listIndent = 0;
  }

  #openFence([, spaces = "", fence = "", language = ""]: RegExpExecArray): void {
    const hadOpen = this.#open.kind !== "nothing";
    this.#finish();
    const gap = this.#blank || hadOpen;
    this.#open = {
      kind: "code",
      fence,
      language: language.trim(),
      lines: [],
      before: "",
      gap,
      indent: spaces.length,
    };
    this.#blank = false;
  }

  #finish(): void {
    const open = this.#open;
    this.#open = { kind: "nothing" };
    if (open.kind === "code") {
      if (open.lines.length > 0 || open.before === "") this.#finishCode(open, open.lines);
      this.#blank = true;
    } else if (open.kind === "text") {
      const source = open.lines.join("\n").replace(/\s+$/, "");
      if (source !== "")
        this.#finished.push({ kind: "markdown", source, gap: open.gap, indent: open.indent });
    }
  }

  #finishCode(open: Extract<Open, { kind: "code" }>, lines: readonly string[]): void {
    const code = lines.join("\n");
    const { language, before, gap, indent } = open;
    this.#finished.push({ kind: "code", language, code, before, gap, indent });
    open.before = `${before}${code}\n`.length > LONGEST_BEFORE ? "" : `${before}${code}\n`;
    open.gap = false;
  }

  #taken(): Block[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}

function shapeOf(line: string): Shape {
  return /^ {0,3}>/.test(line) ? "quote" : "paragraph";
}

function isDelimiterRow(line: string): boolean {
  return line.includes("|") && /^[\s|:-]+$/.test(line) && line.includes("-");
}

/** Columns the text of an item begins at: "12. text" 4. */
function itemIndent(line: string): number {
  return /^ *(?:[-*+]|\d{1,9}[.)])\s/.exec(line)?.[0].length ?? 2;
}

function dedent(line: string, columns: number): string {
  const spaces = /^ */.exec(line)![0].length;
  return line.slice(Math.min(spaces, columns));
}

function trailingSpace(text: string): string {
  return /\s*$/.exec(text)![0];
}
