import { Args, Flags } from "@oclif/core";
import { UserError } from "../engine/errors.js";

/** MODEL alone, for commands that also take -m. */
export const modelWord = Args.string({
  ignoreStdin: true,
  name: "MODEL",
  description: "file.gguf, checkpoint folder, Hub id org/name[@revision] or bundled name",
});

/** MODEL and one more word, as classify and score take them. */
export function modelAndWord(word: { name: string; description: string }) {
  return {
    model: modelWord,
    word: Args.string({ ignoreStdin: true, ...word }),
  };
}

/** -m, for those who write it before every other command too. */
export const modelInsteadOfWord = Flags.string({
  char: "m",
  helpGroup: "MODEL",
  description: "the model, instead of the first word (default: PARLEY_MODEL)",
});

/**
 * The model is the first word, or -m, or PARLEY_MODEL.
 * @throws UserError USAGE (exit 2)
 */
export function splitModelAndWord(
  args: { model?: string | undefined; word?: string | undefined },
  flag: string | undefined,
  usage: string,
): { model: string; word: string | undefined } {
  if (flag === undefined) {
    const model = args.model ?? process.env.PARLEY_MODEL;
    if (model) return { model, word: args.word };
    throw new UserError("usage", "USAGE", "No model is named.", usage);
  }
  if (args.word === undefined) return { model: flag, word: args.model };
  throw namedTwice(usage);
}

/**
 * The model of a command that takes no other word: the word, or -m, or PARLEY_MODEL.
 * @throws UserError USAGE (exit 2)
 */
export function modelOf(
  args: { model?: string | undefined },
  flag: string | undefined,
  usage: string,
): string {
  const { model, word } = splitModelAndWord(args, flag, usage);
  if (word === undefined) return model;
  throw namedTwice(usage);
}

function namedTwice(usage: string): UserError {
  return new UserError("usage", "USAGE", "The model is named twice, by -m and by the first word.", usage);
}
