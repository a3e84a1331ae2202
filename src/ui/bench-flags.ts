import { Flags } from "@oclif/core";
import type { ModelFacts } from "../engine/client/model-facts.js";
import { UserError } from "../engine/errors.js";
import { KV_TYPES } from "../engine/host/protocol.js";
import { counted } from "./inspect/layout.js";
import { contextFlags } from "./model-flags.js";

/** Tokens of a prompt when nobody says: as many as a computer reads at a time. */
const USUAL_PROMPT = 512;
const MOST_TOKENS = 2 ** 31 - 1;

const tokenCounts = Flags.custom<number[]>({
  helpValue: "N,...",
  helpGroup: "TEXT",
  description: `tokens of the prompts that are read (default: ${USUAL_PROMPT}, or what the context has room for)`,
  parse: (text) => {
    const counts = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
    if (counts.some((count) => !(count >= 1 && count <= MOST_TOKENS)))
      throw new Error(`"${text.slice(0, 60)}" is no list of token counts, such as 512,4096`);
    return Promise.resolve(counts);
  },
});

/** What is measured, and how often. */
export const benchFlags = {
  repeat: Flags.integer({
    char: "r",
    min: 1,
    max: 1000,
    default: 3,
    description: "rounds; a warm-up before them is not counted",
  }),
  prompt: tokenCounts(),
  generate: Flags.integer({
    char: "n",
    min: 2,
    max: MOST_TOKENS,
    default: 128,
    helpGroup: "TEXT",
    description: "tokens that are written after each prompt",
  }),
  frames: Flags.integer({
    min: 2,
    max: 100_000,
    default: 48,
    helpGroup: "SPEECH",
    description: "most frames of the utterance; a model may end it earlier",
  }),
  "kv-type": Flags.option({
    options: KV_TYPES,
    helpGroup: "CONTEXT",
    description: "type of the cache (default: as for chat and speak)",
  })(),
  "flash-attn": contextFlags["flash-attn"],
  "swa-full": contextFlags["swa-full"],
};

/**
 * The prompts asked for, or one that fits.
 * @throws UserError CONTEXT_SIZE (exit 2) when prompt and answer are longer than the model's context
 */
export function promptsThatFit(
  { contextLength }: Pick<ModelFacts, "contextLength">,
  { prompt, generate }: { prompt?: number[] | undefined; generate: number },
): number[] {
  // the last position of a context stays free
  const room = contextLength - generate - 1;
  const prompts = prompt ?? [Math.max(1, Math.min(USUAL_PROMPT, room))];
  const longest = Math.max(...prompts);
  if (longest <= room) return prompts;
  throw new UserError(
    "usage",
    "CONTEXT_SIZE",
    `a prompt of ${counted(longest, "token")} and ${generate} after it do not fit into the model's context of ${contextLength}`,
    "Give smaller numbers with --prompt and --generate.",
  );
}

/** @throws UserError KV_TYPE (exit 2) for a type that only text models have */
export function speechCache(asked: (typeof KV_TYPES)[number] | undefined): "auto" | "f16" | "f32" {
  if (asked !== "q8_0") return asked ?? "auto";
  throw new UserError(
    "usage",
    "KV_TYPE",
    "The cache of a speech model is f16 or f32.",
    "Leave --kv-type out.",
  );
}
