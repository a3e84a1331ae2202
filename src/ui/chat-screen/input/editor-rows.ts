import { escapeVisibly } from "../../safe-text/escape-visibly.js";
import type { EditorState } from "./editor-state.js";
import { columnsOf, graphemesOf } from "./graphemes.js";
import { pasteLabel, type PasteSlots } from "./paste-slots.js";

/** A row of the input: its text cut at the cursor's cell. */
export interface EditorRow {
  readonly before: string;
  /** the cell under the cursor, on the row that has it */
  readonly cursor?: string;
  readonly after: string;
}

/** What is drawn around the cursor when a text is long, in UTF-16 units: more than any terminal shows. */
const NEARBY = 20_000;

/**
 * The rows of the input at a width, and of them those around the cursor that fit.
 * @param prompts prompt of the first row and of the others, of equal width
 */
export function editorRows(
  { text, cursor }: EditorState,
  { slots, prompts, columns, maxRows }: EditorLayout,
): EditorRow[] {
  const start = Math.max(0, cursor - NEARBY);
  const builder = new RowBuilder(columns, prompts, start > 0);
  let at = start;
  for (const grapheme of graphemesOf(text.slice(start, cursor + NEARBY))) {
    const isCursor = at === cursor;
    if (grapheme === "\n") {
      if (isCursor) builder.putCursor(" ");
      builder.breakLine();
    } else builder.put(shown(grapheme, slots), isCursor);
    at += grapheme.length;
  }
  if (cursor >= at) builder.putCursor(" ");
  return around(builder.rows, maxRows);
}

export interface EditorLayout {
  readonly slots: PasteSlots;
  readonly prompts: readonly [string, string];
  readonly columns: number;
  readonly maxRows: number;
}

function shown(grapheme: string, slots: PasteSlots): string {
  const label = pasteLabel(grapheme, slots);
  if (label !== undefined) return label;
  if (grapheme === "\t") return "  ";
  return escapeVisibly(grapheme, { maxLength: Infinity, keepLines: false });
}

class RowBuilder {
  readonly rows: EditorRow[] = [];
  private width: number;

  constructor(
    private readonly columns: number,
    private readonly prompts: readonly [string, string],
    isCut: boolean,
  ) {
    this.rows.push({ before: isCut ? prompts[1] : prompts[0], after: "" });
    this.width = columnsOf(prompts[0]);
  }

  put(cell: string, isCursor: boolean): void {
    const columns = columnsOf(cell);
    if (columns > this.columns && cell.length > 1) {
      // a label wider than the terminal
      for (const [i, part] of graphemesOf(cell).entries()) this.put(part, isCursor && i === 0);
      return;
    }
    if (this.width + columns > this.columns) this.newRow(" ".repeat(columnsOf(this.prompts[1])));
    const row = this.rows.at(-1)!;
    this.rows[this.rows.length - 1] = isCursor
      ? { ...row, cursor: cell }
      : row.cursor === undefined
        ? { ...row, before: row.before + cell }
        : { ...row, after: row.after + cell };
    this.width += columns;
  }

  putCursor(cell: string): void {
    if (this.width >= this.columns) this.newRow("");
    this.rows[this.rows.length - 1] = { ...this.rows.at(-1)!, cursor: cell };
  }

  breakLine(): void {
    this.newRow(this.prompts[1]);
  }

  private newRow(prompt: string): void {
    this.rows.push({ before: prompt, after: "" });
    this.width = columnsOf(prompt);
  }
}

/** At most maxRows rows, the one with the cursor among them. */
function around(rows: EditorRow[], maxRows: number): EditorRow[] {
  const at = rows.findIndex(({ cursor }) => cursor !== undefined);
  const last = Math.min(rows.length, Math.max(maxRows, at + 1));
  return rows.slice(Math.max(0, last - maxRows), last);
}
