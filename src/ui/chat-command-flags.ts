import { Flags } from "@oclif/core";
import { THINKING_TARGETS } from "./answer-writer.js";
import { contextFlags, modelFlag, modelFlags } from "./model-flags.js";

/** Flags of `parley chat`, spelled as llama.cpp spells them where it has them. */
export const chatFlags = {
  model: modelFlag("pocket-cwm"),
  prompt: Flags.string({ char: "p", helpGroup: "PROMPT", description: "the prompt, as a flag" }),
  file: Flags.string({
    char: "f",
    helpGroup: "PROMPT",
    helpValue: "FILE",
    description: "a file that stands before the prompt",
  }),
  system: Flags.string({
    char: "s",
    helpGroup: "PROMPT",
    description: "system prompt (default: the family's own)",
  }),
  "system-file": Flags.string({
    helpGroup: "PROMPT",
    helpValue: "FILE",
    exclusive: ["system"],
    description: "system prompt from a file",
  }),
  raw: Flags.boolean({ helpGroup: "PROMPT", description: "complete the text without a chat template" }),
  "prompt-tokens": Flags.string({
    helpGroup: "PROMPT",
    helpValue: "1,2,3",
    description: "token ids to complete, instead of text",
  }),
  jsonl: Flags.boolean({
    helpGroup: "PROMPT",
    description: "one JSON request per line of stdin, one document per line out",
  }),
  continue: Flags.boolean({
    helpGroup: "PROMPT",
    exclusive: ["chat"],
    description: "go on with the chat that was saved last",
  }),
  chat: Flags.string({
    helpGroup: "PROMPT",
    helpValue: "ID",
    description: "go on with a saved chat: its name, its id, or the beginning of the id",
  }),
  think: Flags.boolean({
    allowNo: true,
    default: true,
    helpGroup: "THINKING",
    description: "let the model reason first, where it can",
  }),
  thinking: Flags.option({
    options: THINKING_TARGETS,
    helpGroup: "THINKING",
    description: "where reasoning goes (default: stderr on a terminal, else hidden)",
  })(),
  "keep-thoughts": Flags.boolean({
    allowNo: true,
    default: true,
    helpGroup: "THINKING",
    description: "leave the reasoning of earlier answers in the conversation",
  }),
  temp: Flags.string({ helpGroup: "SAMPLING", description: "temperature; 0 takes the likeliest token" }),
  "top-k": Flags.integer({ min: 0, helpGroup: "SAMPLING", description: "0 keeps all" }),
  "top-p": Flags.string({ helpGroup: "SAMPLING", description: "0 to 1" }),
  "min-p": Flags.string({ helpGroup: "SAMPLING", description: "0 to 1" }),
  "repeat-penalty": Flags.string({
    helpGroup: "SAMPLING",
    description: "1 is off; over the last 64 tokens",
  }),
  seed: Flags.integer({
    min: 0,
    max: 2 ** 32 - 1,
    helpGroup: "SAMPLING",
    description: "the same seed gives the same answer",
  }),
  "max-tokens": Flags.integer({
    char: "n",
    min: 0,
    helpGroup: "SAMPLING",
    description: "longest answer in tokens",
  }),
  "json-schema": Flags.string({
    helpGroup: "SAMPLING",
    helpValue: "FILE",
    description: "JSON schema the answer follows; turns thinking off",
  }),
  lookup: Flags.boolean({
    helpGroup: "SAMPLING",
    description:
      "guess tokens from what stands in the conversation; faster where an answer repeats it. Rounding may change what is sampled",
  }),
  ...contextFlags,
  overflow: Flags.option({
    options: ["error", "trim", "shift"] as const,
    default: "error" as const,
    helpGroup: "CONTEXT",
    description:
      "when the conversation does not fit: stop, leave out the oldest turns, or also forget the oldest tokens while answering",
  })(),
  stats: Flags.boolean({ description: "show times and speeds at the end" }),
  ...modelFlags,
};
