import { itemRows } from "./item-rows.js";
import type { Palette } from "./palette.js";
import type { TranscriptItem } from "./transcript-item.js";

/** The end of the transcript, as many rows as a terminal has. */
export function lastRows(
  transcript: readonly TranscriptItem[],
  palette: Palette,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const found: string[][] = [];
  let height = 0;
  for (let i = transcript.length - 1; i >= 0 && height < rows; i--) {
    const own = itemRows(transcript[i]!, palette, columns);
    found.push(own);
    height += own.length;
  }
  return found.reverse().flat().slice(-rows);
}
