import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Args, Flags, type Interfaces } from "@oclif/core";
import {
  encodeTurns,
  joinContexts,
  NO_TURNS,
  voiceContext,
  type SpeechContext,
} from "../engine/client/speech-prompt.js";
import type { SpeechSession } from "../engine/client/speech-session.js";
import { UserError } from "../engine/errors.js";
import { refuseMissing } from "../engine/formats/refuse-missing.js";
import { codecFingerprint } from "../engine/speech/codec-fingerprint.js";
import type { Line } from "../engine/speech/script.js";
import { splitLine } from "../engine/speech/split-line.js";
import { parseTurn, readTurns } from "../engine/speech/turn.js";
import { VoiceStore } from "../engine/speech/voice-store.js";
import type { Voice } from "../engine/speech/voice.js";
import { outputError } from "../engine/system/output-errors.js";
import { BaseCommand } from "../ui/base-command.js";
import { noteBundled } from "../ui/note-bundled.js";
import { openSpeechModel } from "../ui/open-speech-model.js";
import { playAudio } from "../ui/play-audio.js";
import { recordSpeech } from "../ui/record-speech.js";
import { checkSpeakFlags, readLines, speechRequest } from "../ui/speak-request.js";
import {
  audioFlags,
  maxSecondsFlag,
  speakerFlag,
  speechModelFlags,
  speechSamplingFlags,
} from "../ui/speech-flags.js";
import { refuseExistingOutputs } from "../ui/speech-outputs.js";
import type { Recording } from "../ui/speech-recording.js";
import { closingLine, speechDocument, warnings } from "../ui/speech-report.js";

type SpeakFlags = Interfaces.InferredFlags<typeof Speak.flags & typeof BaseCommand.baseFlags>;

export default class Speak extends BaseCommand {
  static override summary = "speak a text with a conversational speech model";
  static override description = [
    "TEXT is spoken, or what comes on stdin. The file is 24 kHz mono WAV; its INFO chunk says that the speech is",
    "AI-generated and names the model. No watermark is added. Earlier turns (--turn, --context) give the voice and the",
    "manner; their audio may have any sample rate and channel count. A long text is split at its sentences. Prints the path",
    "of what was made.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> -m sesame/csm-1b "Hello there." -o hello.wav',
    '<%= config.bin %> <%= command.id %> "And you?" --speaker 1 --turn "0:How are you?=how.wav" -o you.wav',
    "<%= config.bin %> <%= command.id %> --batch --greedy -o line.wav < lines.txt",
    "<%= config.bin %> <%= command.id %> --voice anna --script dialogue.txt --retries 2 -o dialogue.wav",
    "<%= config.bin %> <%= command.id %> --voice anna --play < chapter.txt",
    'echo "Hello." | <%= config.bin %> <%= command.id %> -o - --format s16le | aplay -f S16_LE -r 24000',
  ];
  static override strict = false;
  static override args = {
    text: Args.string({ ignoreStdin: true, name: "TEXT", description: "what to say; - means stdin" }),
  };
  static override flags = {
    output: Flags.string({
      char: "o",
      default: "speech.wav",
      helpValue: "FILE",
      helpGroup: "OUTPUT",
      description: "- writes to stdout while it is spoken",
    }),
    speaker: speakerFlag,
    turn: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "0:text=clip.wav",
      description: "an earlier turn: speaker, words and audio; may be repeated",
    }),
    context: Flags.string({ helpValue: "TURNS.json", description: "earlier turns, before those of --turn" }),
    script: Flags.string({
      helpValue: "DIALOGUE",
      description: 'a dialogue instead of TEXT: lines such as "1: Hello.", or .json',
    }),
    voice: Flags.string({
      helpValue: "NAME",
      description: "a voice kept with `speak voice add`, before all earlier turns; it also gives the speaker",
    }),
    batch: Flags.boolean({
      description: "speak every line at once, a file each (out-1.wav, out-2.wav, ...)",
    }),
    split: Flags.boolean({
      allowNo: true,
      default: true,
      description:
        "split what is too long to be said at once at its sentences; each part hears those before it",
    }),
    retries: Flags.integer({
      min: 0,
      max: 100,
      default: 0,
      helpValue: "N",
      description: "speak what came to no end, or to no sound, again with the next seed, at most N times",
      exclusive: ["greedy"],
    }),
    play: Flags.boolean({
      helpGroup: "OUTPUT",
      description: "play what was spoken; without -o it is not kept",
    }),
    "max-seconds": maxSecondsFlag,
    ...speechSamplingFlags,
    format: Flags.option({
      options: ["wav", "s16le"] as const,
      default: "wav" as const,
      helpGroup: "OUTPUT",
      description: "s16le: bare samples without a header",
    })(),
    stream: Flags.boolean({
      helpGroup: "OUTPUT",
      description: "let the file grow under its name while it is spoken",
    }),
    codes: Flags.string({
      helpValue: "FILE.npy",
      helpGroup: "OUTPUT",
      description: "write the codes too, int32 [frames, codebooks], the frame that ends the speech counted",
    }),
    ...audioFlags,
    ...speechModelFlags,
    "kv-type": Flags.option({
      options: ["auto", "f16", "f32"] as const,
      default: "auto" as const,
      helpGroup: "MODEL",
      description: "type of the backbone's cache; auto is f16 for quantised weights, else f32",
    })(),
  };

  async run(): Promise<void> {
    const { argv, flags, metadata } = await this.parse(Speak);
    const voice = flags.voice === undefined ? undefined : await new VoiceStore().read(flags.voice);
    const speaker = metadata.flags.speaker?.setFromDefault === true ? voice?.speaker : undefined;
    const lines = await readLines(argv as string[], { ...flags, speaker: speaker ?? flags.speaker });
    // what is only to be heard is not kept
    const isUnnamed = flags.play && !flags.json && metadata.flags.output?.setFromDefault === true;
    const folder = isUnnamed ? await temporaryFolder() : undefined;
    try {
      const output = folder === undefined ? flags.output : path.join(folder, flags.output);
      await this.speak(lines, voice, { ...flags, output }, { isKept: folder === undefined });
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }

  private async speak(
    lines: readonly (readonly Line[])[],
    voice: Voice | undefined,
    flags: SpeakFlags,
    { isKept }: { isKept: boolean },
  ): Promise<void> {
    checkSpeakFlags(flags, lines.length);
    await refuseExistingOutputs(flags, lines.length);
    const given = (flags.turn ?? []).map(parseTurn);
    const turns = [...(flags.context === undefined ? [] : await readTurns(flags.context)), ...given];
    for (const { audio } of turns) await refuseMissing(audio);
    const started = performance.now();
    const session = await openSpeechModel({ flags, progress: this.progress(flags), signal: this.signal });
    let kept: Recording[];
    try {
      await noteBundled(flags.model, (text) => this.note(text, flags));
      const loadMs = performance.now() - started;
      const earlier = joinContexts(
        await this.voiceOf(session, voice),
        await encodeTurns(session, turns, this.signal),
      );
      for (const note of earlier.notes) this.note(note, flags);
      const { sampleRate, samplesPerFrame } = session.loaded;
      const seconds = (session.facts.speech!.maxFrames * samplesPerFrame) / sampleRate;
      const files = lines.map((file) =>
        flags.split ? file.flatMap((line) => splitLine(line, seconds)) : file,
      );
      const request = speechRequest(flags);
      const progress = this.progress(flags);
      const onNote = (text: string): void => this.note(text, flags);
      const options = {
        flags,
        earlier,
        request,
        retries: flags.retries,
        loadMs,
        progress,
        signal: this.signal,
      };
      const result = await recordSpeech(session, files, { ...options, onNote });
      kept = result.recordings;
      for (const warning of warnings(kept, sampleRate)) this.note(warning, flags);
      this.note(closingLine(kept, result.timings, sampleRate), flags);
      if (flags.json) this.answerJson(speechDocument(kept, result.timings, sampleRate));
      else if (isKept && flags.output !== "-" && kept.length > 0)
        this.answer(kept.map(({ path }) => path).join("\n"));
      this.signal.throwIfAborted();
    } finally {
      await session.close();
    }
    if (flags.play) await this.play(kept, isKept, flags);
  }

  private async voiceOf(session: SpeechSession, voice: Voice | undefined): Promise<SpeechContext> {
    if (voice === undefined) return NO_TURNS;
    return voiceContext(session, voice, await codecFingerprint(session.facts.path), this.signal);
  }

  private async play(
    recordings: readonly Recording[],
    isKept: boolean,
    flags: { quiet: boolean },
  ): Promise<void> {
    for (const { path: file } of recordings) {
      if ((await playAudio(file, this.signal)) !== undefined) continue;
      const message = "no program could play it (afplay, pw-play, paplay, aplay, ffplay and play were tried)";
      if (!isKept)
        throw new UserError(
          "notFound",
          "NO_PLAYER",
          message,
          "Install one of them, or check the sound device; -o FILE keeps the speech.",
        );
      this.note(`warning: ${message}`, flags);
      return;
    }
  }
}

/** @throws UserError OUTPUT_FOLDER, OUTPUT_DENIED (exit 73) */
async function temporaryFolder(): Promise<string> {
  const folder = path.join(os.tmpdir(), "parley-speech-");
  return mkdtemp(folder).catch((error: unknown) => {
    throw outputError(error, folder);
  });
}
