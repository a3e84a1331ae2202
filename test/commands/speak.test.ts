import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/engine/formats/npy.js";
import { readWavHeader } from "../../src/engine/formats/wav-header.js";
import { convertTo, nmse, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley, type RunOptions } from "../helpers/run-parley.js";
import { Goldens, goldenClip } from "../helpers/speech.js";
import { samplesOf, wavFile } from "../helpers/wav.js";

let root: string;
const models = new Map<string, string>();
beforeAll(async () => {
  root = await temporaryFolder();
  for (const name of ["csm-six", "csm-eight", "csm-thirtytwo"]) {
    models.set(name, await convertTo(root, repositoryFile("test/fixtures", name), "f32"));
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

const newFolder = () => mkdtemp(path.join(root, "case-"));

interface Document {
  files: { path: string; seconds: number; frames: number; seed: number; stopped: string }[];
  timings: { load_ms: number; first_audio_ms: number | null; rtf: number | null };
}

function speak(model: string, args: string[], options: RunOptions = {}) {
  return runParley(["speak", "-m", models.get(model)!, ...args], options);
}

/** Speaks into a folder. @returns the document of --json, and the codes */
async function speakJson(folder: string, model: string, ...args: string[]) {
  const run = await speak(model, [...args, "--json", "-o", "out.wav", "--codes", "out.npy"], { cwd: folder });
  expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/RTF/)]);
  const document = JSON.parse(run.stdout) as Document;
  return { document, codes: (await readNpy(path.join(folder, "out.npy"))).data, run };
}

/** The flags of a run of make_csm_goldens.py; its clips lie in the folder then. */
async function runFlags(folder: string, model: string, name: string): Promise<string[]> {
  const runs = JSON.parse(
    await readFile(repositoryFile("test/reference/data", `${model}-runs.json`), "utf8"),
  ) as {
    name: string;
    turns: { speaker: number; text: string; samples: number }[];
    speaker: number;
    text: string;
    max_frames: number;
  }[];
  const run = runs.find((candidate) => candidate.name === name)!;
  const flags = [run.text, "--speaker", String(run.speaker), "--max-seconds", String(run.max_frames * 0.08)];
  for (const [number, { speaker, text, samples }] of run.turns.entries()) {
    await writeFile(path.join(folder, `turn-${number}.wav`), wavFile(goldenClip().subarray(0, samples)));
    flags.push("--turn", `${speaker}:${text}=turn-${number}.wav`);
  }
  return flags;
}

describe("parley speak --greedy equals the reference, code for code", () => {
  const cases = [
    ["csm-six", "cap"],
    ["csm-six", "context"],
    ["csm-six", "turns"],
    ["csm-eight", "silent"],
    ["csm-eight", "turns"],
    ["csm-thirtytwo", "context"],
  ] as const;
  it.each(cases)("%s, run %s", async (model, name) => {
    const folder = await newFolder();
    const goldens = new Goldens(model);
    const facts = goldens.runs.find((run) => run.name === name)!;
    const { document, codes, run } = await speakJson(
      folder,
      model,
      "--greedy",
      "--float",
      ...(await runFlags(folder, model, name)),
    );
    expect(codes).toEqual(goldens.integers(`run.${name}.codes`));
    expect(document.files).toEqual([
      {
        path: "out.wav",
        seconds: facts.samples / 24000,
        frames: facts.frames,
        seed: 0,
        stopped: facts.stopped,
      },
    ]);
    const audio = samplesOf(await readFile(path.join(folder, "out.wav")));
    expect(audio.length).toBe(facts.samples);
    if (name === "context") {
      const reference = goldens.floats("run.context.audio");
      // 60 dB and better
      expect(nmse(audio, reference)).toBeLessThan(1e-6);
    }
    if (facts.samples === 0) expect(run.stderr).toContain("warning: out.wav is empty");
  });

  it("takes turns from a file, its audio beside it or in the working folder", async () => {
    const folder = await newFolder();
    const flags = await runFlags(folder, "csm-six", "context");
    const text = "going and going";
    await writeFile(
      path.join(folder, "turns.json"),
      JSON.stringify([{ speaker: "0", text, audio: "turn-0.wav" }]),
    );
    const { codes } = await speakJson(
      folder,
      "csm-six",
      "--greedy",
      ...flags.slice(0, 5),
      "--context",
      "turns.json",
    );
    expect(codes).toEqual(new Goldens("csm-six").integers("run.context.codes"));
  });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Bytes; temporary files count, and may go away meanwhile. */
async function largestFile(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map((name) =>
    stat(path.join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return Math.max(0, ...(await Promise.all(sizes)));
}

describe("parley speak", () => {
  it("gives the same file for the same seed and another for another", async () => {
    const folder = await newFolder();
    const args = ["hello there", "--max-seconds", "1", "--seed"];
    for (const [file, seed] of [
      ["a", "7"],
      ["b", "7"],
      ["c", "8"],
    ] as const) {
      const run = await speak("csm-six", [...args, seed, "-o", `${file}.wav`], { cwd: folder });
      expect(run.stdout).toBe(`${file}.wav\n`);
    }
    const [a, b, c] = await Promise.all(
      ["a", "b", "c"].map((file) => readFile(path.join(folder, `${file}.wav`))),
    );
    expect(a!.equals(b!)).toBe(true);
    expect(a!.equals(c!)).toBe(false);
  });

  it("says every line of a batch as it says it alone", async () => {
    const folder = await newFolder();
    const lines = ["hello", "one two three", "z"];
    const flags = ["--seed", "5", "--max-seconds", "1.2"];
    const batch = await speak(
      "csm-six",
      ["--batch", ...flags, "-o", "batch.wav", "--codes", "batch.npy", "--json"],
      {
        cwd: folder,
        input: `${lines.join("\n\n")}\n`,
      },
    );
    const { files } = JSON.parse(batch.stdout) as Document;
    expect(files.map((file) => file.path)).toEqual(["batch-1.wav", "batch-2.wav", "batch-3.wav"]);
    for (const [number, line] of lines.entries()) {
      const { document } = await speakJson(folder, "csm-six", line, ...flags, "--force");
      expect({ ...files[number], path: "" }).toEqual({ ...document.files[0], path: "" });
      const alone = await readFile(path.join(folder, "out.npy"));
      expect(alone.equals(await readFile(path.join(folder, `batch-${number + 1}.npy`)))).toBe(true);
      const wavs = [`batch-${number + 1}.wav`, "out.wav"].map((file) => readFile(path.join(folder, file)));
      const [together, single] = await Promise.all(wavs);
      expect(together!.equals(single!)).toBe(true);
    }
  });

  it("says in the file that it is AI-generated, and with which model", async () => {
    const folder = await newFolder();
    await speak("csm-six", ["--greedy", "z", "-o", "out.wav"], { cwd: folder });
    const bytes = await readFile(path.join(folder, "out.wav"));
    expect(bytes.toString("latin1")).toContain("AI-generated speech, made with the model csm-six");
    expect(readWavHeader(bytes, "out.wav")).toMatchObject({
      channels: 1,
      sampleRate: 24000,
      bitsPerSample: 16,
    });
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  });

  it("writes floats with --float, bare samples with --format s16le, and grows the file with --stream", async () => {
    const folder = await newFolder();
    const files = {
      "plain.wav": [],
      "float.wav": ["--float"],
      "bare.raw": ["--format", "s16le"],
      "grown.wav": ["--stream"],
    };
    for (const [file, flags] of Object.entries(files)) {
      const run = await speak("csm-six", ["--greedy", "z", "-o", file, ...flags], { cwd: folder });
      expect(run.code).toBe(0);
    }
    const read = (file: string) => readFile(path.join(folder, file));
    const plain = await read("plain.wav");
    const [integers, floats] = [samplesOf(plain), samplesOf(await read("float.wav"))];
    expect(floats.length).toBe(integers.length);
    // The model is louder than 16 bits hold.
    const clipped = (value: number) => Math.max(-1, Math.min(32767 / 32768, value));
    expect(Math.max(...floats)).toBeGreaterThan(1);
    expect(
      Math.max(...floats.map((value, i) => Math.abs(clipped(value) - integers[i]!))),
    ).toBeLessThanOrEqual(0.5 / 32768 + 1e-9);
    expect((await read("bare.raw")).equals(plain.subarray(plain.length - integers.length * 2))).toBe(true);
    expect((await read("grown.wav")).equals(plain)).toBe(true);
  });

  it("streams to stdout: a WAV header of unknown length, then the samples of the file", async () => {
    const folder = await newFolder();
    const raw = await speak("csm-six", ["--greedy", "z", "-o", "-", "--format", "s16le"]);
    expect([raw.code, raw.stderr]).toEqual([0, expect.stringMatching(/^0\.96 s of speech in .* RTF /)]);
    await speak("csm-six", ["--greedy", "z", "-o", "out.raw", "--format", "s16le"], { cwd: folder });
    expect(raw.stdout).toBe((await readFile(path.join(folder, "out.raw"))).toString("utf8"));
    const wav = await speak("csm-six", ["--greedy", "z", "-o", "-"]);
    expect(wav.stdout.startsWith("RIFF")).toBe(true);
  });

  // Codes drawn from all alike never end the speech.
  const endless = "--temp 100 --depth-temp 100 --top-k 0 --depth-top-k 0 --seed 3 --max-seconds 160".split(
    " ",
  );

  it("ends with 141 when the reader goes away", async () => {
    const run = await speak("csm-six", [...endless, "a b c", "-o", "-"], { closeStdoutAfter: 100 });
    expect(run.code).toBe(141);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("keeps what was spoken until %s as valid files", async (signal) => {
    const folder = await newFolder();
    const outputs = ["-o", "out.wav", "--codes", "out.npy", "--json"];
    const run = await speak("csm-thirtytwo", ["--batch", ...endless, ...outputs], {
      cwd: folder,
      input: "one\ntwo\nthree\nfour\n",
      onStart: async (kill) => {
        for (let tries = 0; tries < 10_000 && (await largestFile(folder)) < 8000; tries++) await pause(2);
        kill(signal);
      },
    });
    expect(run.code).toBe(signal === "SIGINT" ? 130 : 143);
    const { files } = JSON.parse(run.stdout) as Document;
    expect(files.map(({ path }) => path)).toEqual([1, 2, 3, 4].map((number) => `out-${number}.wav`));
    expect((await readdir(folder)).length).toBe(8);
    for (const [number, file] of files.entries()) {
      const audio = samplesOf(await readFile(path.join(folder, file.path)));
      const { shape } = await readNpy(path.join(folder, `out-${number + 1}.npy`));
      expect(audio.length).toBe(shape[0]! * 1920);
      expect(file).toMatchObject({ stopped: "interrupted", seconds: audio.length / 24000 });
    }
  });

  it("speaks the bundled model by default and says what it is limited to", async () => {
    const folder = await newFolder();
    const run = await runParley(["speak", "Hello.", "--greedy", "--max-seconds", "0.4"], { cwd: folder });
    expect(run.stderr).toContain("pocket-csm speaks digits");
    expect([run.code, run.stdout]).toEqual([0, "speech.wav\n"]);
  });
});

describe("parley speak refuses", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await newFolder();
    await writeFile(path.join(folder, "there.wav"), "mine");
    await writeFile(path.join(folder, "text.wav"), "this is no audio at all, whatever its name says");
    await writeFile(path.join(folder, "empty.wav"), wavFile(new Float32Array(0)));
    await writeFile(path.join(folder, "long.wav"), wavFile(new Float32Array(24000 * 170)));
    await writeFile(path.join(folder, "one.wav"), wavFile(new Float32Array(1)));
    await writeFile(
      path.join(folder, "bad.json"),
      '[{"speaker": 0, "text": "a", "audio": "one.wav"}, {"speaker": -1}]',
    );
  });

  const cases: [string, string[], number, string, string][] = [
    ["an output that exists", ["x", "-o", "there.wav"], 73, "OUTPUT_EXISTS", "there.wav"],
    ["codes that exist", ["x", "-o", "new.wav", "--codes", "there.wav"], 73, "OUTPUT_EXISTS", "there.wav"],
    ["a folder that is not there", ["x", "-o", "no/new.wav"], 73, "OUTPUT_FOLDER", "no"],
    ["a clip that is no audio", ["x", "--turn", "0:a=text.wav"], 65, "AUDIO_FORMAT", "text.wav"],
    ["a clip without samples", ["x", "--turn", "0:a=empty.wav"], 65, "AUDIO_EMPTY", "empty.wav"],
    ["a clip that is missing", ["x", "--turn", "0:a=missing.wav"], 66, "FILE_NOT_FOUND", "missing.wav"],
    ["a context longer than the model's", ["x", "--turn", "0:a=long.wav"], 2, "CONTEXT_TOO_LONG", "2048"],
    [
      "a text longer than the model's context",
      ["x".repeat(3000), "--no-split"],
      2,
      "CONTEXT_TOO_LONG",
      "2048",
    ],
    ["a turn without audio", ["x", "--turn", "0:words"], 2, "TURN", "SPEAKER:TEXT=FILE"],
    ["a missing file of turns", ["x", "--context", "no.json"], 66, "FILE_NOT_FOUND", "no.json"],
    ["a bad entry of a file of turns", ["x", "--context", "bad.json"], 65, "CONTEXT_JSON", "turn 2"],
    ["nothing to say", [""], 2, "NO_TEXT", "nothing"],
    ["floats as s16le", ["x", "--float", "--format", "s16le"], 2, "USAGE", "--float"],
    ["a document and audio on stdout", ["x", "-o", "-"], 2, "USAGE", "--json"],
  ];
  it.each(cases)("%s", async (_, args, code, name, message) => {
    const run = await speak("csm-six", [...args, "--greedy", "--json"], { cwd: folder });
    const { error } = JSON.parse(run.stdout) as { error: { code: string; message: string } };
    expect([run.code, error.code]).toEqual([code, name]);
    expect(error.message).toContain(message);
    expect(await readFile(path.join(folder, "there.wav"), "utf8")).toBe("mine");
    expect((await readdir(folder)).filter((file) => /new|tmp|part|speech/.test(file))).toEqual([]);
  });

  it("a model that does not speak", async () => {
    const run = await runParley(["speak", "-m", "pocket-cwm", "x"], { cwd: folder });
    expect([run.code, run.stderr]).toEqual([65, expect.stringContaining("does not speak")]);
  });

  it("a length beyond the context only with a warning", async () => {
    const args = ["z", "--greedy", "--max-seconds", "1000", "-o", "warned.wav"];
    const run = await speak("csm-six", args, { cwd: folder });
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("have room for 163.4 s")]);
  });
});
