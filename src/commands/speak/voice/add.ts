import { Args, Flags } from "@oclif/core";
import { readClip } from "../../../engine/audio/read-clip.js";
import { turnTokens } from "../../../engine/client/speech-prompt.js";
import { UserError } from "../../../engine/errors.js";
import { refuseMissing } from "../../../engine/formats/refuse-missing.js";
import { codecFingerprint } from "../../../engine/speech/codec-fingerprint.js";
import { VoiceStore } from "../../../engine/speech/voice-store.js";
import { BaseCommand } from "../../../ui/base-command.js";
import { noteBundled } from "../../../ui/note-bundled.js";
import { openSpeechModel } from "../../../ui/open-speech-model.js";
import { speakerFlag, speechModelFlags } from "../../../ui/speech-flags.js";

export default class SpeakVoiceAdd extends BaseCommand {
  static override summary = "keep a voice: what somebody says in a clip, as codes";
  static override description = [
    "`speak --voice NAME` then says things as they would go on. A voice belongs to the codec of the model it was kept",
    "with. Ten clear seconds are plenty; the words must be those of the clip. Have the consent of whose voice it is.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> anna -m sesame/csm-1b --text "What she says." --audio anna.wav',
  ];
  static override args = {
    name: Args.string({ ignoreStdin: true, name: "NAME", required: true, description: "what to call it" }),
  };
  static override flags = {
    audio: Flags.string({
      required: true,
      helpValue: "FILE",
      description: "the clip; WAV, FLAC, MP3 or Ogg",
    }),
    text: Flags.string({ required: true, helpValue: "WORDS", description: "the words in it" }),
    speaker: speakerFlag,
    force: Flags.boolean({ description: "replace a voice of this name" }),
    ...speechModelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SpeakVoiceAdd);
    const store = new VoiceStore();
    store.checkName(args.name);
    const text = flags.text.trim();
    if (text === "")
      throw new UserError("usage", "NO_TEXT", "--text has no words", "Say what is in the clip.");
    if (!flags.force && (await store.names()).includes(args.name)) {
      throw new UserError(
        "cannotCreate",
        "OUTPUT_EXISTS",
        `there is a voice called ${args.name} already`,
        "Choose another name, or replace it with --force.",
      );
    }
    await refuseMissing(flags.audio);
    await store.prepare();
    const session = await openSpeechModel({ flags, progress: this.progress(flags), signal: this.signal });
    try {
      await noteBundled(flags.model, (note) => this.note(note, flags));
      const { sampleRate, codebooks, samplesPerFrame, context } = session.loaded;
      const clip = await readClip(flags.audio, sampleRate, this.signal);
      const seconds = clip.samples.length / sampleRate;
      if (clip.isSilent)
        this.note(`warning: ${flags.audio} is silent, from the first sample to the last`, flags);
      const words = await turnTokens(session, flags.speaker, text, this.signal);
      if (words.length + clip.samples.length / samplesPerFrame > context / 2) {
        const most = ((context / 2) * samplesPerFrame) / sampleRate;
        throw new UserError(
          "usage",
          "CONTEXT_TOO_LONG",
          `with ${seconds.toFixed(0)} s and ${words.length} tokens of words there would be no room left for what it shall say`,
          `Words and clip may take half of the model's ${context} positions, ${most.toFixed(0)} s at most; ten are plenty.`,
        );
      }
      const codes = await session.encode(clip.samples, this.signal);
      const codec = await codecFingerprint(session.facts.path);
      const created = new Date().toISOString();
      const voice = {
        name: args.name,
        speaker: flags.speaker,
        text,
        codec,
        codebooks,
        seconds,
        created,
        codes,
      };
      const path = await store.add(voice, { overwrite: flags.force });
      if (flags.json) this.answerJson({ name: args.name, path, seconds, frames: codes.length / codebooks });
      else this.answer(path);
    } finally {
      await session.close();
    }
  }
}
