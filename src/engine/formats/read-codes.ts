import { badFile } from "./bad-file.js";
import { readNpy } from "./npy.js";

/** What the codes of a model look like. */
export interface CodesShape {
  readonly codebooks: number;
  /** Codes are 0 to codebookSize - 1. */
  readonly codebookSize: number;
}

/**
 * Reads codes [frames, codebooks] from an int32 .npy file.
 * @throws UserError CODES_DTYPE, CODES_SHAPE, CODES_RANGE and what readNpy throws (exit 65, 66)
 */
export async function readCodes(file: string, { codebooks, codebookSize }: CodesShape): Promise<Int32Array> {
  const { shape, data } = await readNpy(file);
  const refuse = (code: string, fault: string, hint: string) => badFile(code, file, fault, hint);
  if (!(data instanceof Int32Array)) {
    throw refuse(
      "CODES_DTYPE",
      "it holds float32, codes are int32",
      "Save them with codes.astype(numpy.int32).",
    );
  }
  if (shape.length !== 2 || shape[1] !== codebooks) {
    const fault = `its shape is [${shape.join(", ")}], expected [frames, ${codebooks}]`;
    throw refuse("CODES_SHAPE", fault, "Codes go back through the model they come from, one row per frame.");
  }
  const bad = data.findIndex((code) => code < 0 || code >= codebookSize);
  if (bad >= 0) {
    const place = `frame ${Math.floor(bad / codebooks)}, codebook ${bad % codebooks}`;
    const fault = `${place}: the code ${data[bad]} is not within 0 to ${codebookSize - 1}`;
    throw refuse("CODES_RANGE", fault, "Codes above these are reserved and have no sound.");
  }
  return data;
}
