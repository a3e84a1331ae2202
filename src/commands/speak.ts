import { randomInt } from "node:crypto";
import { Args, Flags } from "@oclif/core";
import { encodeTurns } from "../engine/client/speech-prompt.js";
import { planSpeech } from "../engine/client/plan-speech.js";
import type { SpeechSession } from "../engine/client/speech-session.js";
import { parseTurn, readTurns } from "../engine/speech/turn.js";
import { refuseMissing } from "../engine/formats/refuse-missing.js";
import { BaseCommand } from "../ui/base-command.js";
import { noteBundled } from "../ui/note-bundled.js";
import { openSpeechModel } from "../ui/open-speech-model.js";
import { readSpeechTexts } from "../ui/read-speech-texts.js";
import {
  audioFlags,
  maxSecondsFlag,
  speakerFlag,
  speechModelFlags,
  speechSamplingFlags,
} from "../ui/speech-flags.js";
import { checkOutputFlags, openRecordings, refuseExistingOutputs } from "../ui/speech-outputs.js";
import type { Recording } from "../ui/speech-recording.js";
import {
  closingLine,
  realTimeFactor,
  speechDocument,
  warnings,
  type SpeechTimings,
} from "../ui/speech-report.js";

export default class Speak extends BaseCommand {
  static override summary = "speak a text with a conversational speech model";
  static override description = [
    "TEXT is spoken, or what comes on stdin. The file is 24 kHz mono WAV; its INFO chunk says that the speech is",
    "AI-generated and names the model. No watermark is added. Earlier turns (--turn, --context) give the voice and the",
    "manner; their audio may have any sample rate and channel count. Prints the path of what was made.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> -m sesame/csm-1b "Hello there." -o hello.wav',
    '<%= config.bin %> <%= command.id %> "And you?" --speaker 1 --turn "0:How are you?=how.wav" -o you.wav',
    "<%= config.bin %> <%= command.id %> --batch --greedy -o line.wav < lines.txt",
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
    batch: Flags.boolean({
      description: "speak every line at once, a file each (out-1.wav, out-2.wav, ...)",
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
    const { argv, flags } = await this.parse(Speak);
    const texts = await readSpeechTexts(argv as string[], process.stdin, { batch: flags.batch });
    checkOutputFlags(flags, texts.length);
    await refuseExistingOutputs(flags, texts.length);
    const given = (flags.turn ?? []).map(parseTurn);
    const turns = [...(flags.context === undefined ? [] : await readTurns(flags.context)), ...given];
    for (const { audio } of turns) await refuseMissing(audio);
    const started = performance.now();
    const session = await openSpeechModel({ flags, progress: this.progress(flags), signal: this.signal });
    try {
      await noteBundled(flags.model, (text) => this.note(text, flags));
      const loadMs = performance.now() - started;
      const context = await encodeTurns(session, turns, this.signal);
      for (const note of context.notes) this.note(note, flags);
      const seed = flags.greedy ? 0 : (flags.seed ?? randomInt(2 ** 32));
      const plan = await planSpeech(session, texts, context, { ...request(flags), seed }, this.signal);
      for (const note of plan.notes) this.note(note, flags);
      const model = { ...session.loaded, name: session.facts.name };
      const recordings = await openRecordings(flags, texts.length, model);
      const timings = await this.record(session, plan.params, recordings, loadMs, flags);
      const kept = recordings.filter(({ isKept }) => isKept);
      const facts = { sampleRate: session.loaded.sampleRate, seed };
      for (const warning of warnings(kept, facts.sampleRate)) this.note(warning, flags);
      this.note(closingLine(kept, timings, facts), flags);
      if (flags.json) this.answerJson(speechDocument(kept, timings, facts));
      else if (flags.output !== "-" && kept.length > 0) this.answer(kept.map(({ path }) => path).join("\n"));
      this.signal.throwIfAborted();
    } finally {
      await session.close();
    }
  }

  /** Speaks into the recordings. After Ctrl-C, what was spoken until then is kept. */
  private async record(
    session: SpeechSession,
    params: Parameters<SpeechSession["speak"]>[0],
    recordings: readonly Recording[],
    loadMs: number,
    flags: { quiet: boolean; force: boolean },
  ): Promise<SpeechTimings> {
    const { sampleRate } = session.loaded;
    const progress = this.progress(flags);
    const started = performance.now();
    const timings: SpeechTimings = { loadMs, firstAudioMs: undefined, speakMs: 0 };
    try {
      for await (const { utterance, ...chunk } of session.speak(params, this.signal)) {
        const recording = recordings[utterance]!;
        await recording.add(chunk);
        if (chunk.audio.length > 0) timings.firstAudioMs ??= performance.now() - started;
        timings.speakMs = performance.now() - started;
        if (chunk.end !== "none") await recording.keep(flags.force);
        progress.update({ label: progressLabel(recordings, timings.speakMs, sampleRate) });
      }
    } catch (error) {
      if (!this.signal.aborted) throw error;
      for (const recording of recordings)
        if (recording.samples > 0 && !recording.isKept) await recording.keep(flags.force);
    } finally {
      progress.finish();
      await Promise.all(recordings.map((recording) => recording.discard()));
    }
    return timings;
  }
}

function progressLabel(recordings: readonly Recording[], speakMs: number, sampleRate: number): string {
  const seconds = recordings.reduce((sum, recording) => sum + recording.samples, 0) / sampleRate;
  const rtf = realTimeFactor(recordings, speakMs, sampleRate);
  return `speaking: ${seconds.toFixed(1)} s${rtf === null ? "" : `, RTF ${rtf.toFixed(2)}`}`;
}

function request(flags: {
  speaker: number;
  "max-seconds"?: number | undefined;
  "kv-type": "auto" | "f16" | "f32";
  greedy: boolean;
  temp?: number | undefined;
  "top-k"?: number | undefined;
  "depth-temp"?: number | undefined;
  "depth-top-k"?: number | undefined;
}) {
  return {
    speaker: flags.speaker,
    maxSeconds: flags["max-seconds"],
    kvType: flags["kv-type"],
    sampling: {
      temperature: flags.greedy ? 0 : flags.temp,
      topK: flags["top-k"],
      depthTemperature: flags.greedy ? 0 : flags["depth-temp"],
      depthTopK: flags["depth-top-k"],
    },
  };
}
