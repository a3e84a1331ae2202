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

/** Speaks lines greedily into folder/NAME-1.wav, NAME-1.npy and so on. @returns how each ended */
async function speak(name: string, speaker: number, lines: readonly string[], type: string) {
  const flags = ["-m", "pocket-csm", "--type", type, "--greedy", "--batch", "--speaker", String(speaker)];
  const run = await runParley(["speak", ...flags, "-o", `${name}.wav`, "--codes", `${name}.npy`, "--json"], {
    cwd: folder,
    input: lines.join("\n"),
  });
  expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/RTF/)]);
  const { files } = JSON.parse(run.stdout) as { files: { stopped: string }[] };
  return files.map(({ stopped }) => stopped);
}

describe("the bundled pocket-csm", () => {
  it("says sentences it has not seen as transformers does, code for code, and ends by itself", async () => {
    for (const speaker of [0, 1]) {
      const said = sentences.filter((sentence) => sentence.speaker === speaker);
      const lines = said.map(({ text }) => text);
      const ends = await speak(`exact-${speaker}`, speaker, lines, "f32");
      expect(ends).toEqual(said.map(() => "eos"));
      for (const [i, { codes }] of said.entries()) {
        const { shape, data } = await readNpy(path.join(folder, `exact-${speaker}-${i + 1}.npy`));
        expect(shape).toEqual([codes.length, codes[0]!.length]);
        expect([...data]).toEqual(codes.flat());
      }
    }
  });

  it.skipIf(!hasRecogniser)(`says digits that ${RECOGNISER} understands (needs it installed)`, async () => {
    const grammar = path.join(folder, "digits.gram");
    await writeFile(grammar, `#JSGF V1.0; grammar digits; public <digits> = ( ${DIGITS.join(" | ")} )+ ;`);
    const lines = ["three one four", "One, two, three.", "nine zero five", "6 5 4 3"];
    const words = ["three one four", "one two three", "nine zero five", "six five four three"];
    await speak("digits", 0, lines, "q8_0");
    let wrong = 0;
    for (const [i, text] of words.entries()) {
      const heard = await recognise(path.join(folder, `digits-${i + 1}.wav`), grammar);
      wrong += edits(heard, text.split(" "));
    }
    expect(wrong / words.join(" ").split(" ").length).toBeLessThanOrEqual(0.1);
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
  // a penalty for every word keeps it from hearing words in pauses
  const run = spawnSync(
    RECOGNISER,
    ["-infile", file, "-jsgf", grammar, "-wip", "1e-3", "-logfn", "/dev/null"],
    {
      encoding: "utf8",
    },
  );
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
