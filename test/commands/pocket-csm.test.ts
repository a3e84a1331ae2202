import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { resample } from "../../src/engine/audio/resample.js";
import { readNpy } from "../../src/engine/formats/npy.js";
import { repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";
import { samplesOf, wavFile } from "../helpers/wav.js";

interface Said {
  speaker: number;
  text: string;
  /** [frame][codebook] */
  codes: number[][];
}

const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const RECOGNISER = "pocketsphinx_continuous";
const hasRecogniser = spawnSync(RECOGNISER, ["-h"]).error === undefined;

let sentences: Said[];
let folder: string;
beforeAll(async () => {
  const file = repositoryFile("test/reference/data/pocket-csm.json");
  sentences = JSON.parse(await readFile(file, "utf8")) as Said[];
  folder = await temporaryFolder();
});

/** Speaks greedily into folder/NAME.wav and folder/NAME.npy. */
async function speak(name: string, { speaker, text }: { speaker: number; text: string }, type: string) {
  const flags = ["-m", "pocket-csm", "--type", type, "--greedy", "--speaker", String(speaker)];
  const run = await runParley(
    ["speak", ...flags, "-o", `${name}.wav`, "--codes", `${name}.npy`, "--json", text],
    { cwd: folder },
  );
  expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/RTF/)]);
  return JSON.parse(run.stdout) as { files: { stopped: string }[] };
}

describe("the bundled pocket-csm", () => {
  it("says sentences it has not seen as transformers does, code for code, and ends by itself", async () => {
    for (const [i, sentence] of sentences.entries()) {
      const { files } = await speak(`exact-${i}`, sentence, "f32");
      expect(files[0]!.stopped).toBe("eos");
      const { shape, data } = await readNpy(path.join(folder, `exact-${i}.npy`));
      expect(shape).toEqual([sentence.codes.length, sentence.codes[0]!.length]);
      expect([...data]).toEqual(sentence.codes.flat());
    }
  });

  it.skipIf(!hasRecogniser)(`says digits that ${RECOGNISER} understands (needs it installed)`, async () => {
    const grammar = path.join(folder, "digits.gram");
    await writeFile(grammar, `#JSGF V1.0; grammar digits; public <digits> = ( ${DIGITS.join(" | ")} )+ ;`);
    let wrong = 0;
    let total = 0;
    const texts = ["three one four", "two seven one eight", "nine zero five", "six five four three"];
    for (const [i, text] of texts.entries()) {
      await speak(`digits-${i}`, { speaker: 0, text }, "q8_0");
      const heard = await recognise(path.join(folder, `digits-${i}.wav`), grammar);
      const said = text.split(" ");
      wrong += edits(heard, said);
      total += said.length;
    }
    expect(wrong / total).toBeLessThanOrEqual(0.2);
  });
});

/** The words pocketsphinx hears in a WAV file of parley, of those that the grammar has. */
async function recognise(wav: string, grammar: string): Promise<string[]> {
  const speech = await resample(samplesOf(await readFile(wav)), 24_000, 16_000);
  const quiet = 8000;
  const padded = new Float32Array(speech.length + 2 * quiet);
  padded.set(speech, quiet);
  const file = wav.replace(/wav$/, "16k.wav");
  await writeFile(file, wavFile(padded, 16_000));
  const run = spawnSync(RECOGNISER, ["-infile", file, "-jsgf", grammar, "-logfn", "/dev/null"], {
    encoding: "utf8",
  });
  expect(run.status).toBe(0);
  return run.stdout.split(/\s+/).filter((word) => word !== "");
}

/** Substitutions, insertions and deletions between two sequences of words (Levenshtein). */
function edits(heard: readonly string[], said: readonly string[]): number {
  let row = Array.from({ length: said.length + 1 }, (_, j) => j);
  for (const [i, word] of heard.entries()) {
    const next = [i + 1];
    for (const [j, expected] of said.entries()) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (word === expected ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}
