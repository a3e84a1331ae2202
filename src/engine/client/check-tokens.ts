import { UserError } from "../errors.js";

/**
 * May the model evaluate these tokens as one sequence?
 * @throws UserError EMPTY_PROMPT, TOKEN_RANGE, CONTEXT_OVERFLOW (exit 2)
 */
export function checkTokens(
  tokens: readonly number[],
  { vocabulary, contextLength }: { vocabulary: number; contextLength: number },
): void {
  if (tokens.length === 0) {
    throw new UserError("usage", "EMPTY_PROMPT", "There are no tokens to run.", "Give a text or --tokens.");
  }
  const outside = tokens.find((id) => id >= vocabulary);
  if (outside !== undefined) {
    throw new UserError(
      "usage",
      "TOKEN_RANGE",
      `There is no token ${outside}: the vocabulary has ids 0 to ${vocabulary - 1}.`,
    );
  }
  if (tokens.length > contextLength) {
    throw new UserError(
      "usage",
      "CONTEXT_OVERFLOW",
      `${tokens.length} tokens do not fit the model's context of ${contextLength}.`,
    );
  }
}
