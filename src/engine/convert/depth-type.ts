import { UserError } from "../errors.js";
import type { Family } from "../families/family.js";
import type { OutputType } from "../tensors/output-type.js";

/**
 * A type for a depth decoder makes sense only where there is one.
 * @throws UserError DEPTH_TYPE_UNUSED (exit 2)
 */
export function refuseDepthType(family: Family, depthType: OutputType | undefined): void {
  if (depthType === undefined || family.hasDepthDecoder === true) return;
  throw new UserError(
    "usage",
    "DEPTH_TYPE_UNUSED",
    `--depth-type is given, and a ${family.title} has no depth decoder`,
    "Leave --depth-type out; --type is the type of all weights.",
  );
}
