import type { ChalkInstance } from "chalk";
import type { ViewOptions } from "./layout.js";

/**
 * How to draw on stdout. What goes into a pipe is not wrapped, so that a line is a thing; neither is it on a terminal
 * that says it has 0 columns, as those of scripts and containers do.
 */
export function viewOptions(colours: ChalkInstance): ViewOptions {
  return { columns: process.stdout.columns || Number.POSITIVE_INFINITY, colours };
}
