import type { Block } from "./block.js";

/** One finished part of the transcript. It is written once, above the live part of the screen, and never again. */
export type TranscriptItem =
  | { readonly kind: "user"; readonly text: string }
  | { readonly kind: "block"; readonly block: Block }
  /** reasoning, unfolded */
  | { readonly kind: "thinking"; readonly text: string }
  /** reasoning, folded: how long it took */
  | { readonly kind: "thought"; readonly seconds: number; readonly shown: boolean }
  | { readonly kind: "note"; readonly tone: "info" | "warning" | "error"; readonly text: string }
  /** the lines of a command's answer, as they are */
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  /** names and what they mean, in two columns */
  | { readonly kind: "pairs"; readonly pairs: readonly (readonly [string, string])[] };
