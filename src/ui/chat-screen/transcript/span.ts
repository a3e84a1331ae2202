import type { ChalkInstance } from "chalk";

/** A piece of text in one style. Text may hold line breaks. */
export interface Span {
  readonly text: string;
  /** absent: as the terminal writes */
  readonly style?: ChalkInstance | undefined;
}

export function paint({ text, style }: Span): string {
  return style === undefined || text === "" ? text : style(text);
}
