import { cp } from "node:fs/promises";
import path from "node:path";
import { type EditedTensor, editSafetensors } from "./edit-safetensors.js";
import { repositoryFile } from "./models.js";

const HIDDEN = 32;
const VOCABULARY = 448;
/** Logit of what comes next, over 0 for everything else: as good as certain. */
const WEIGHT = 20;

/** Ids of the tokenizer of test/fixtures/cwm-regular. */
const IDS = {
  "{": 90,
  "}": 92,
  x: 87,
  "\n": 198,
  "<|end_of_text|>": 431,
  "<|frame_sep|>": 440,
  "<|action_sep|>": 441,
  "<|call_sep|>": 443,
  "<|line_sep|>": 444,
} as const;
export type AutomatonToken = keyof typeof IDS;

/** A trace that never ends: a call, then well-formed lines. */
export const ENDLESS_TRACE: Readonly<Partial<Record<AutomatonToken, AutomatonToken>>> = {
  "<|frame_sep|>": "<|line_sep|>",
  "<|call_sep|>": "{",
  "<|line_sep|>": "{",
  "{": "}",
  "}": "<|action_sep|>",
  "<|action_sep|>": "x",
  x: "\n",
  "\n": "<|frame_sep|>",
};

/**
 * Writes a CWM checkpoint that is certain of what follows each token, whatever came before: its layers add nothing, an
 * embedding says which state a token is, the head which token follows that state.
 * @param folder made; its parent exists
 */
export async function writeAutomaton(
  folder: string,
  next: Readonly<Partial<Record<AutomatonToken, AutomatonToken>>>,
): Promise<void> {
  await cp(repositoryFile("test/fixtures/cwm-regular"), folder, { recursive: true });
  const embeddings = new Float32Array(VOCABULARY * HIDDEN);
  const head = new Float32Array(VOCABULARY * HIDDEN);
  Object.entries(next).forEach(([token, follower], state) => {
    embeddings[IDS[token as AutomatonToken] * HIDDEN + state] = 1;
    head[IDS[follower] * HIDDEN + state] = WEIGHT;
  });
  const values: Record<string, Float32Array> = {
    "model.embed_tokens.weight": embeddings,
    "lm_head.weight": head,
    "model.norm.weight": new Float32Array(HIDDEN).fill(1),
  };
  const changed = (tensor: EditedTensor): EditedTensor => {
    const silent = /\.(o_proj|down_proj)\.weight$/.test(tensor.name);
    const floats = silent ? new Float32Array(tensor.data.length / 4) : values[tensor.name];
    return floats ? { ...tensor, data: Buffer.from(floats.buffer) } : tensor;
  };
  await editSafetensors(path.join(folder, "model.safetensors"), (tensors) => tensors.map(changed));
}
