import { Flags } from "@oclif/core";
import { MAX_SPEAKER } from "../engine/speech/turn.js";
import { modelFlag, modelFlags } from "./model-flags.js";

/** What speaks when nobody names a model: bundled. */
export const DEFAULT_SPEECH_MODEL = "pocket-csm";

/** Where a speech model is found and what computes it. */
export const speechModelFlags = {
  model: modelFlag(DEFAULT_SPEECH_MODEL),
  type: modelFlags.type,
  "remove-download": modelFlags["remove-download"],
  gpu: modelFlags.gpu,
  threads: modelFlags.threads,
};

const temperature = (description: string) =>
  Flags.custom<number>({
    helpGroup: "SAMPLING",
    helpValue: "T",
    description,
    parse: (text) => {
      const value = Number(text);
      if (text.trim() === "" || !(value >= 0 && value <= 100))
        throw new Error(`"${text}" is no number from 0 to 100`);
      return Promise.resolve(value);
    },
  })();

const topK = (description: string) =>
  Flags.integer({ min: 0, max: 1_000_000, helpGroup: "SAMPLING", helpValue: "K", description });

/** How codes are drawn; what is not given comes from the checkpoint. */
export const speechSamplingFlags = {
  greedy: Flags.boolean({
    helpGroup: "SAMPLING",
    description: "take the likeliest code each time",
    exclusive: ["temp", "top-k", "depth-temp", "depth-top-k", "seed"],
  }),
  temp: temperature("temperature of the backbone; 0 is greedy"),
  "top-k": topK("keep the K likeliest codes; 0 keeps all"),
  "depth-temp": temperature("temperature of the depth decoder"),
  "depth-top-k": topK("as --top-k, for the depth decoder"),
  seed: Flags.integer({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    helpGroup: "SAMPLING",
    description: "the same seed gives the same file (default: a new one each time)",
  }),
};

export const speakerFlag = Flags.integer({
  min: 0,
  max: MAX_SPEAKER,
  default: 0,
  description: "number of the speaker",
});

/** What is written. */
export const audioFlags = {
  float: Flags.boolean({ helpGroup: "OUTPUT", description: "32-bit float samples, never clipped" }),
  force: Flags.boolean({ helpGroup: "OUTPUT", description: "replace the output if it exists" }),
};

/** --max-seconds: seconds of audio. */
export const maxSecondsFlag = Flags.custom<number>({
  helpValue: "S",
  description: "longest speech (default: what the checkpoint says, usually 10)",
  parse: (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value > 0 && value <= 1e6))
      throw new Error(`"${text}" is no number of seconds above 0`);
    return Promise.resolve(value);
  },
})();
