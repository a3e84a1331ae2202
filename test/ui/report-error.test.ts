import { Flags, Parser } from "@oclif/core";
import { afterEach, expect, it, vi } from "vitest";
import { reportError } from "../../src/ui/report-error.js";
import { maxSecondsFlag, speechSamplingFlags } from "../../src/ui/speech-flags.js";

const FLAGS = {
  "max-seconds": maxSecondsFlag,
  temp: speechSamplingFlags.temp,
  steps: Flags.integer({ min: 1 }),
};

afterEach(() => vi.restoreAllMocks());

/** What a person sees of a command line that is no good. */
async function report(argv: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  vi.spyOn(process.stderr, "write").mockImplementation((part) => {
    text += String(part);
    return true;
  });
  const error: unknown = await Parser.parse(argv, { flags: FLAGS }).then(
    () => undefined,
    (fault: unknown) => fault,
  );
  return { code: reportError(error, argv), text };
}

it.each([
  [["--max-seconds", "0"], 'Error: --max-seconds: "0" is no number of seconds above 0\n'],
  [["--temp", "inf"], 'Error: --temp: "inf" is no number from 0 to 100\n'],
  [["--steps", "0"], "Error: --steps: Expected an integer greater than or equal to 1 but received: 0\n"],
  [["--nope"], "Error: Nonexistent flag: --nope\n"],
])("%j is a fault of the command line, said in one line with one hint", async (argv, line) => {
  const { code, text } = await report(argv);
  expect(text).toBe(`${line}  parley help shows the commands; every command explains itself with --help.\n`);
  expect(code).toBe(2);
});
