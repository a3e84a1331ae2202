import { Args, Flags } from "@oclif/core";
import { readCodes } from "../../engine/formats/read-codes.js";
import { refuseMissing } from "../../engine/formats/refuse-missing.js";
import { BaseCommand } from "../../ui/base-command.js";
import { noteBundled } from "../../ui/note-bundled.js";
import { openSpeechModel } from "../../ui/open-speech-model.js";
import { refuseExisting } from "../../ui/refuse-existing.js";
import { audioFlags, speechModelFlags } from "../../ui/speech-flags.js";
import { checkOutputFlags, openRecording } from "../../ui/speech-outputs.js";

export default class CodecDecode extends BaseCommand {
  static override summary = "turn Mimi's codes into audio";
  static override description =
    "CODES is int32 [frames, codebooks], as `codec encode` and `speak --codes` write it. The file is mono WAV at the codec's " +
    "rate; its INFO chunk names the model. Prints the path; -o - writes to stdout.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> codes.npy -o clip.wav -m sesame/csm-1b",
    "<%= config.bin %> <%= command.id %> codes.npy -o clip.wav --float",
  ];
  static override args = {
    codes: Args.string({ ignoreStdin: true, name: "CODES", required: true, description: "int32 .npy file" }),
  };
  static override flags = {
    output: Flags.string({
      char: "o",
      required: true,
      helpValue: "OUT.wav",
      description: "where the audio goes",
    }),
    ...audioFlags,
    ...speechModelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CodecDecode);
    const target = { ...flags, format: "wav", stream: false } as const;
    checkOutputFlags(target, 1);
    if (flags.output !== "-") await refuseExisting(flags.output, flags);
    await refuseMissing(args.codes);
    const session = await openSpeechModel({ flags, progress: this.progress(flags), signal: this.signal });
    try {
      await noteBundled(flags.model, (text) => this.note(text, flags));
      const { sampleRate, codebooks } = session.loaded;
      const codes = await readCodes(args.codes, session.loaded);
      const recording = await openRecording(target, { ...session.loaded, name: session.facts.name });
      try {
        for await (const audio of session.decode(codes, this.signal)) {
          await recording.add({ audio, codes: new Int32Array(0), end: "none" });
        }
        await recording.keep(flags.force);
      } finally {
        await recording.discard();
      }
      const seconds = recording.samples / sampleRate;
      if (flags.json)
        this.answerJson({ path: flags.output, frames: codes.length / codebooks, codebooks, seconds });
      else if (flags.output !== "-") this.answer(flags.output);
    } finally {
      await session.close();
    }
  }
}
