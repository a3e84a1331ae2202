import { UserError } from "../engine/errors.js";
import { readAll } from "./read-prompt.js";

/**
 * What to say: the words of the command line, or standard input when there are none or one of them is "-".
 * @returns one text, or with `batch` one for each line that is not blank
 * @throws UserError NO_TEXT (exit 2)
 */
export async function readSpeechTexts(
  words: readonly string[],
  stdin: NodeJS.ReadStream,
  { batch }: { readonly batch: boolean },
): Promise<string[]> {
  const fromStdin = words.includes("-") || (words.length === 0 && !stdin.isTTY);
  const typed = words.filter((word) => word !== "-").join(" ");
  const piped = fromStdin ? (await readAll(stdin)).replace(/[\r\n]+$/, "") : "";
  const text = [typed, piped].filter((part) => part !== "").join(batch ? "\n" : " ");
  const texts = (batch ? text.split(/\r?\n/) : [text]).filter((line) => line.trim() !== "");
  if (texts.length > 0) return texts;
  throw new UserError(
    "usage",
    "NO_TEXT",
    "there is nothing to say",
    'As in: parley speak "Hello." -o hello.wav',
  );
}
