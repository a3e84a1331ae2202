import { highlightCode } from "./highlight-code.js";
import type { Palette } from "./palette.js";
import { wrapSpans } from "./wrap-spans.js";

/** Code as rows, two columns in; long lines go on in the next row, nothing is cut off. */
export function codeRows(code: string, language: string, palette: Palette, columns: number): string[] {
  const name = language.split(/\s/, 1)[0]!.toLowerCase();
  return wrapSpans(highlightCode(code, name, palette), { columns, indent: ["  ", "  "], at: "cells" });
}
