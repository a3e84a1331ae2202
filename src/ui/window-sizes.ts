import type { ModelFacts } from "../engine/client/model-facts.js";
import { UserError } from "../engine/errors.js";

/** A text of so many tokens is one window, if the model's context allows. */
export const WHOLE_TOKENS = 8192;
/** Window of longer texts. */
const WINDOW_TOKENS = 512;

/** @throws UserError STRIDE (exit 2) */
export function windowSizes(
  { contextLength, prefixTokens }: ModelFacts,
  flags: { "ctx-size"?: number | undefined; stride?: number | undefined },
): { wholeSize: number; windowSize: number; stride: number | undefined } {
  const asked = flags["ctx-size"];
  const windowSize = asked ?? Math.min(WINDOW_TOKENS, contextLength);
  const longest = windowSize - prefixTokens.length;
  if (flags.stride !== undefined && flags.stride > longest) {
    throw new UserError(
      "usage",
      "STRIDE",
      `--stride ${flags.stride} leaves tokens out: a window holds ${longest} tokens of the text.`,
    );
  }
  return { windowSize, wholeSize: asked ?? Math.min(WHOLE_TOKENS, contextLength), stride: flags.stride };
}
