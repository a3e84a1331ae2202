import type { ChalkInstance } from "chalk";
import type { ViewOptions } from "./layout.js";

/** How to draw on stdout. What goes into a pipe is not wrapped, so that a line is a thing. */
export function viewOptions(colours: ChalkInstance): ViewOptions {
  return { columns: process.stdout.columns ?? Number.POSITIVE_INFINITY, colours };
}
