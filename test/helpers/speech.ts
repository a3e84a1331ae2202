import { readFileSync } from "node:fs";
import type { NativeSpeech, SpeechFacts } from "../../src/engine/host/speech-binding.js";
import { loadAddon } from "../../src/engine/host/llama-binding.js";
import { AUDIO_FRAME, SpeechModel, type SpeakOptions } from "../../src/engine/host/speech-model.js";
import { engineFolder, repositoryFile } from "./models.js";

/** The tiny checkpoints; make_csm_goldens.py has run the PyTorch reference on each. */
export const CSM_CHECKPOINTS = ["csm-six", "csm-eight", "csm-thirtytwo", "csm-three"] as const;

/** The fused kernels (where the CPU has them), and ggml alone. */
export const PATHS = [
  { way: "fused", plain: false },
  { way: "plain", plain: true },
] as const;

export const GREEDY = { temperature: 0, topK: 0, depthTemperature: 0, depthTopK: 0 };

export interface Golden {
  shape: readonly number[];
  data: Float32Array | Int32Array;
}

export interface GoldenRun {
  name: string;
  turns: { speaker: number; text: string; samples: number }[];
  max_frames: number;
  frames: number;
  samples: number;
  stopped: "eos" | "cap";
}

/** What the reference computed for a checkpoint: tensors by name (see make_csm_goldens.py), and its runs. */
export class Goldens {
  readonly runs: readonly GoldenRun[];
  private readonly tensors = new Map<string, Golden>();

  constructor(checkpoint: string) {
    const data = (file: string) => repositoryFile("test/reference/data", `${checkpoint}-${file}`);
    this.runs = JSON.parse(readFileSync(data("runs.json"), "utf8")) as GoldenRun[];
    const bytes = readFileSync(data("goldens.safetensors"));
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
      string,
      { dtype: "F32" | "I32"; shape: number[]; data_offsets: [number, number] }
    >;
    for (const [name, { dtype, shape, data_offsets: at }] of Object.entries(header)) {
      const copy = Uint8Array.from(bytes.subarray(start + at[0], start + at[1])).buffer;
      this.tensors.set(name, {
        shape,
        data: dtype === "F32" ? new Float32Array(copy) : new Int32Array(copy),
      });
    }
  }

  get names(): string[] {
    return [...this.tensors.keys()];
  }

  floats(name: string): Float32Array {
    return this.tensor(name).data as Float32Array;
  }

  integers(name: string): Int32Array {
    return this.tensor(name).data as Int32Array;
  }

  /** A [channels, time] tensor as [time, channels]. */
  transposed(name: string): Float32Array {
    const { shape, data } = this.tensor(name);
    const [channels, time] = [shape[0]!, shape[1]!];
    return Float32Array.from(data, (_, i) => data[(i % channels) * time + Math.floor(i / channels)]!);
  }

  /** Prompt of a run: token ids with AUDIO_FRAME for the frames of its turns, and their codes. */
  async prompt(
    { name, turns }: GoldenRun,
    audioToken: number,
    encode: (samples: Float32Array) => Promise<Int32Array>,
  ): Promise<{ tokens: Int32Array; codes: Int32Array }> {
    const tokens = this.integers(`run.${name}.ids`).map((id) => (id === audioToken ? AUDIO_FRAME : id));
    const codes: number[] = [];
    for (const { samples } of turns) codes.push(...(await encode(goldenClip().subarray(0, samples))));
    return { tokens, codes: Int32Array.from(codes) };
  }

  private tensor(name: string): Golden {
    const found = this.tensors.get(name);
    if (!found) throw new Error(`the reference has no tensor ${name}`);
    return found;
  }
}

/** The clip of make_csm_goldens.py, mono at 24 kHz. */
export function goldenClip(): Float32Array {
  const bytes = readFileSync(repositoryFile("test/reference/data/csm-clip.npy"));
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
}

/** The id that stands for a frame in a checkpoint's prompts. */
export function audioToken(checkpoint: string): number {
  const config = readFileSync(repositoryFile("test/fixtures", checkpoint, "config.json"), "utf8");
  return (JSON.parse(config) as { audio_token_id: number }).audio_token_id;
}

/** The native object, in this process. */
export async function loadNative(
  file: string,
  options: { plain: boolean; threads?: number; gpu?: boolean },
): Promise<{ native: NativeSpeech; facts: SpeechFacts }> {
  const { ParleySpeech } = loadAddon(await engineFolder());
  const native = new ParleySpeech();
  const facts = await native.load(file, { threads: 1, ...options });
  return { native, facts };
}

export async function loadSpeech(
  file: string,
  options: { plain: boolean; threads?: number },
): Promise<SpeechModel> {
  return SpeechModel.load(loadAddon(await engineFolder()), file, { threads: 1, ...options });
}

export interface Spoken {
  codes: number[];
  audio: number[];
  end: string;
}

/** All that was spoken, per utterance. */
export async function speakAll(
  model: SpeechModel,
  utterances: Parameters<SpeechModel["speak"]>[0],
  options: Partial<SpeakOptions> = {},
): Promise<Spoken[]> {
  const spoken: Spoken[] = utterances.map(() => ({ codes: [], audio: [], end: "none" }));
  const run = model.speak(utterances, { width: 1, kvType: "f32", sampling: GREEDY, ...options });
  for await (const { utterance, codes, audio, end } of run) {
    const one = spoken[utterance]!;
    one.codes.push(...codes);
    one.audio.push(...audio);
    one.end = end;
  }
  return spoken;
}

/** Signal-to-noise ratio in dB. */
export function snr(audio: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (audio.length !== reference.length) return Number.NEGATIVE_INFINITY;
  let noise = 0;
  let signal = 0;
  for (let i = 0; i < reference.length; i++) {
    noise += (audio[i]! - reference[i]!) ** 2;
    signal += reference[i]! ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
