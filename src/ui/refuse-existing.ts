import { lstat } from "node:fs/promises";
import { outputExists } from "../engine/system/output-errors.js";

/**
 * Refuses an output that is there already, before long work begins for it.
 * @throws UserError OUTPUT_EXISTS (exit 73)
 */
export async function refuseExisting(file: string): Promise<void> {
  const exists = await lstat(file).then(
    () => true,
    () => false,
  );
  if (exists) throw outputExists(file);
}
