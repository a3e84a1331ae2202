import { openAudioFile, openAudioStream, type AudioKind } from "../engine/audio/audio-output.js";
import { openGrowingFile } from "../engine/audio/growing-file.js";
import { UserError } from "../engine/errors.js";
import { escapeForMessage } from "../engine/formats/escape.js";
import { converterVersion } from "../engine/convert/converter-version.js";
import { refuseExisting } from "./refuse-existing.js";
import { numberedPath } from "./numbered-path.js";
import { Recording } from "./speech-recording.js";

export interface OutputFlags {
  readonly output: string;
  readonly codes?: string | undefined;
  readonly format: "wav" | "s16le";
  readonly float: boolean;
  readonly force: boolean;
  readonly stream: boolean;
  readonly json: boolean;
}

/**
 * Refuses combinations that cannot work before a model is loaded.
 * @throws UserError USAGE (exit 2)
 */
export function checkOutputFlags(flags: OutputFlags, count: number): void {
  const usage = (message: string, hint: string) => new UserError("usage", "USAGE", message, hint);
  if (flags.float && flags.format === "s16le") {
    throw usage("--float and --format s16le contradict each other", "Leave one of them out.");
  }
  if (flags.codes === "-") throw usage("--codes writes a file, not stdout", "Name it: --codes codes.npy.");
  if (flags.output !== "-") return;
  if (flags.json) throw usage("-o - and --json both want stdout", "Name a file with -o.");
  if (count > 1) throw usage("-o - takes one utterance, --batch makes several", "Name a file with -o.");
  if (process.stdout.isTTY) {
    throw usage(
      "audio would go to the terminal",
      "Send it to a program, as in `| aplay`, or name a file with -o.",
    );
  }
}

/**
 * Refuses outputs that are there already or cannot be made, before a model is loaded for them.
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73)
 */
export async function refuseExistingOutputs(flags: OutputFlags, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    for (const path of [flags.output, flags.codes]) {
      if (path !== undefined && path !== "-") await refuseExisting(numberedPath(path, index, count), flags);
    }
  }
}

/** What the INFO chunk says of speech that a model made. */
function speechInfo(modelName: string): Record<string, string> {
  const model = escapeForMessage(modelName, 200);
  return {
    ISFT: `parley ${converterVersion()}`,
    ICMT: `AI-generated speech, made with the model ${model}`,
    IGNR: "AI-generated",
  };
}

export interface RecordedModel {
  readonly name: string;
  /** Hz */
  readonly sampleRate: number;
  readonly codebooks: number;
}

/**
 * Opens an output.
 * @param place which of how many outputs, for its name
 * @throws UserError OUTPUT_EXISTS, OUTPUT_FOLDER, OUTPUT_DENIED (exit 73)
 */
export async function openRecording(
  flags: OutputFlags,
  model: RecordedModel,
  seed = 0,
  { index, count }: { index: number; count: number } = { index: 0, count: 1 },
): Promise<Recording> {
  const { float, format, force: overwrite } = flags;
  const kind: AudioKind = { sampleRate: model.sampleRate, float, format, info: speechInfo(model.name) };
  const open = flags.stream ? openGrowingFile : openAudioFile;
  const path = flags.output === "-" ? "-" : numberedPath(flags.output, index, count);
  const codesPath = flags.codes === undefined ? undefined : numberedPath(flags.codes, index, count);
  const output = path === "-" ? openAudioStream(process.stdout, kind) : await open(path, kind, { overwrite });
  return new Recording({ path, output, codesPath }, model.codebooks, seed);
}
