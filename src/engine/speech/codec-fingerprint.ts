import { createHash } from "node:crypto";
import { UserError } from "../errors.js";
import { openFileSource } from "../formats/byte-source.js";
import { readGguf } from "../formats/gguf-reader.js";

/** The first codebook: float32 in every type a model is converted to, and different in every codec. */
const TENSOR = "mimi.quant.codebook.0.weight";

/**
 * What tells one codec from another: codes mean something to the codec they came from alone.
 * @param model a csm GGUF file
 * @returns 24 hex digits of a sha256
 * @throws UserError of the strict reader; NO_SPEECH (exit 65)
 */
export async function codecFingerprint(model: string): Promise<string> {
  const { tensors } = await readGguf(model, { purpose: "inspect" });
  const tensor = tensors.find(({ name }) => name === TENSOR);
  if (tensor === undefined) {
    throw new UserError("badFile", "NO_SPEECH", `${model} has no codec in it`, "Give a CSM model.");
  }
  const source = await openFileSource(tensor.file ?? model);
  try {
    const bytes = await source.read(tensor.offset, tensor.bytes);
    return createHash("sha256").update(bytes).digest("hex").slice(0, 24);
  } finally {
    await source.close();
  }
}
