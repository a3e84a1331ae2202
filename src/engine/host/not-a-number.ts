import { UserError } from "../errors.js";

/**
 * Weights that are no numbers, or so large that sums overflow, make every output meaningless.
 * @param what which values, and where
 */
export function notANumber(what: string, cause?: unknown): UserError {
  return new UserError(
    "badFile",
    "NOT_A_NUMBER",
    `${what}: the checkpoint is broken, or its values do not fit the type it was converted to.`,
    "Look for NaN in its weights with parley inspect tensors MODEL --stats; try a conversion with --type f32.",
    { cause },
  );
}
