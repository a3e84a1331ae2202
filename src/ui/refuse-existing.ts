import { access, constants } from "node:fs/promises";
import path from "node:path";
import { checkTarget } from "../engine/system/atomic-file.js";
import { outputError } from "../engine/system/output-errors.js";

/**
 * Refuses an output that is there already or cannot be made, before long work begins for it.
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73)
 */
export async function refuseExisting(file: string, { force = false } = {}): Promise<void> {
  // with a slash behind it a file is no folder
  await access(`${path.dirname(file)}/`, constants.W_OK).catch((error: unknown) => {
    throw outputError(error, file);
  });
  await checkTarget(file, force);
}
