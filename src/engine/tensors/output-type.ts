import { UserError } from "../errors.js";

/** What `--type` may say besides "auto". "q4_k" is llama-quantize's other name for "q4_k_m". */
export const OUTPUT_TYPES = ["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"] as const;

export type OutputType = (typeof OUTPUT_TYPES)[number];

interface OutputTypeFacts {
  /** ggml type of most weights. */
  readonly ggmlType: string;
  /** `general.file_type`, `enum llama_ftype` of llama.h. */
  readonly fileType: number;
}

const FACTS: Readonly<Record<OutputType, OutputTypeFacts>> = {
  f32: { ggmlType: "F32", fileType: 0 },
  f16: { ggmlType: "F16", fileType: 1 },
  bf16: { ggmlType: "BF16", fileType: 32 },
  q8_0: { ggmlType: "Q8_0", fileType: 7 },
  q6_k: { ggmlType: "Q6_K", fileType: 18 },
  q5_k_m: { ggmlType: "Q5_K", fileType: 17 },
  q4_k_m: { ggmlType: "Q4_K", fileType: 15 },
  q4_0: { ggmlType: "Q4_0", fileType: 2 },
};

export function outputTypeFacts(type: OutputType): OutputTypeFacts {
  return FACTS[type];
}

/**
 * Reads what the user typed after `--type`.
 * @throws UserError UNKNOWN_TYPE (exit 2)
 */
export function parseOutputType(text: string): OutputType | "auto" {
  const name = text.toLowerCase();
  if (name === "auto") return "auto";
  if (name === "q4_k") return "q4_k_m";
  const known = OUTPUT_TYPES.find((type) => type === name);
  if (known) return known;
  throw new UserError(
    "usage",
    "UNKNOWN_TYPE",
    `there is no output type "${text}"`,
    `Choose one of auto, ${OUTPUT_TYPES.join(", ")}.`,
  );
}

/**
 * Reads what the user typed after `--depth-type`.
 * @throws UserError UNKNOWN_TYPE (exit 2)
 */
export function parseDepthType(text: string): OutputType {
  const type = parseOutputType(text);
  if (type !== "auto") return type;
  throw new UserError(
    "usage",
    "UNKNOWN_TYPE",
    "--depth-type names a type",
    `Choose one of ${OUTPUT_TYPES.join(", ")}, or leave it out: then --type decides.`,
  );
}
