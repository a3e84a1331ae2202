import { openFileSource } from "./byte-source.js";

/**
 * Refuses a file that cannot be read, before long work begins for it.
 * @throws UserError FILE_NOT_FOUND, NOT_A_FILE (exit 66), FILE_DENIED (exit 77)
 */
export async function refuseMissing(file: string): Promise<void> {
  const source = await openFileSource(file);
  await source.close();
}
