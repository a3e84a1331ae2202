import { Args, Flags } from "@oclif/core";
import { readClip } from "../../engine/audio/read-clip.js";
import { writeNpy } from "../../engine/formats/npy.js";
import { refuseMissing } from "../../engine/formats/refuse-missing.js";
import { BaseCommand } from "../../ui/base-command.js";
import { noteBundled } from "../../ui/note-bundled.js";
import { openSpeechModel } from "../../ui/open-speech-model.js";
import { refuseExisting } from "../../ui/refuse-existing.js";
import { speechModelFlags } from "../../ui/speech-flags.js";

export default class CodecEncode extends BaseCommand {
  static override summary = "turn audio into Mimi's codes";
  static override description =
    "Writes int32 [frames, codebooks], one frame for every 80 ms. Audio of any sample rate and channel count is mixed to mono " +
    "and resampled; a last frame that is not full is padded with silence. Prints the path.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> clip.wav -o codes.npy -m sesame/csm-1b",
    "<%= config.bin %> <%= command.id %> clip.flac -o codes.npy --json",
  ];
  static override args = {
    audio: Args.string({
      ignoreStdin: true,
      name: "AUDIO",
      required: true,
      description: "WAV, FLAC, MP3 or Ogg file",
    }),
  };
  static override flags = {
    output: Flags.string({
      char: "o",
      required: true,
      helpValue: "CODES.npy",
      description: "where the codes go",
    }),
    force: Flags.boolean({ description: "replace the output if it exists" }),
    ...speechModelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CodecEncode);
    await refuseExisting(flags.output, flags);
    await refuseMissing(args.audio);
    const session = await openSpeechModel({ flags, progress: this.progress(flags), signal: this.signal });
    try {
      await noteBundled(flags.model, (text) => this.note(text, flags));
      const { sampleRate, codebooks } = session.loaded;
      const clip = await readClip(args.audio, sampleRate, this.signal);
      if (clip.isSilent) this.note(`warning: ${args.audio} is silent`, flags);
      const data = await session.encode(clip.samples, this.signal);
      const frames = data.length / codebooks;
      const array = { dtype: "int32", shape: [frames, codebooks], data } as const;
      await writeNpy(flags.output, array, { overwrite: flags.force });
      const seconds = clip.samples.length / sampleRate;
      if (flags.json) this.answerJson({ path: flags.output, frames, codebooks, seconds });
      else this.answer(flags.output);
    } finally {
      await session.close();
    }
  }
}
