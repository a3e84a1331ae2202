import type { ForeignLayout } from "../family.js";

/** Every tensor of the original layout that is no norm, with whatever stands behind it in the name. */
const ORIGINAL_TENSORS =
  /^(text_embeddings|audio_embeddings|projection|codebook0_head)\.weight$|^audio_head$|^(backbone|decoder)\.layers\.\d+\.attn\./;

/**
 * What Sesame's own code reads: model.safetensors or ckpt.pt beside the transformers files in sesame/csm-1b. Queries
 * and keys are ordered for another kind of rotation there, and the codec is missing.
 */
export const originalLayout: ForeignLayout = {
  title: "these are CSM weights in the original layout of Sesame's code, which lacks the codec",
  isConfig: (config) => config.has("backbone_flavor") && config.has("decoder_flavor"),
  isTensor: (name) => ORIGINAL_TENSORS.test(name),
  hint:
    "Fetch the transformers layout into this folder: config.json, generation_config.json, tokenizer.json, " +
    "transformers.safetensors.index.json and the transformers-*.safetensors files that it lists " +
    "(parley download sesame/csm-1b does).",
};
