import stringWidth from "string-width";

/**
 * Rows by which a terminal that has become narrower breaks lines it already shows. Ink erases as many rows as it has
 * written; terminals that reflow (most, tmux too) then show more of them.
 */
export function reflowedRows(rows: readonly string[], columns: number): number {
  return rows.reduce(
    (sum, row) => sum + Math.max(0, Math.ceil(stringWidth(row) / Math.max(1, columns)) - 1),
    0,
  );
}

/** Erases the line of the cursor and so many above it; the cursor stays at the start of the topmost. */
export function eraseUp(rows: number): string {
  return "\u001b[2K" + "\u001b[1A\u001b[2K".repeat(rows) + "\r";
}
