import type { ChalkInstance } from "chalk";
import type { ViewOptions } from "./layout.js";

/** Columns of a page that goes into a pipe. */
const PIPE_COLUMNS = 100;

/** How to draw on stdout. */
export function viewOptions(colours: ChalkInstance): ViewOptions {
  return { columns: process.stdout.columns ?? PIPE_COLUMNS, colours };
}
