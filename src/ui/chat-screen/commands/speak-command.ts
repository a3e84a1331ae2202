import { randomInt } from "node:crypto";
import { access } from "node:fs/promises";
import { NO_TURNS } from "../../../engine/client/speech-prompt.js";
import { readAloud } from "../../../engine/client/read-aloud.js";
import type { SpeechSession } from "../../../engine/client/speech-session.js";
import { UserError } from "../../../engine/errors.js";
import type { Line } from "../../../engine/speech/script.js";
import { splitSentences } from "../../../engine/speech/split-sentences.js";
import { expandUser } from "../../../engine/system/xdg.js";
import { noteBundled } from "../../note-bundled.js";
import { playAudio } from "../../play-audio.js";
import { refuseExisting } from "../../refuse-existing.js";
import { safeLine } from "../../safe-text.js";
import { openRecording } from "../../speech-outputs.js";
import { closingLine, type SpeechTimings } from "../../speech-report.js";
import type { Progress } from "../../progress.js";
import { spokenText } from "../spoken-text.js";
import type { SlashCommand } from "./command.js";

/** UTF-16 units said at once: some eight seconds, where models are limited to ten. */
const LONGEST_PART = 120;

export const speakCommand: SlashCommand = {
  names: ["speak", "say"],
  argument: "[FILE.wav]",
  summary: "read the last answer aloud: into FILE, or into a new file that is then played",
  details: [
    "A second model speaks; it is loaded for this and leaves the memory afterwards.",
    "/set speech-model MODEL chooses another one. Ctrl-C stops it and keeps what was spoken.",
    "Code blocks are not read.",
  ],
  complete: "files",
  async run({ argument, driver, say }) {
    const last = driver.chat.turns.findLast(({ role }) => role === "assistant");
    if (last === undefined) throw new UserError("usage", "CHAT_EMPTY", "There is no answer yet.");
    const texts = splitSentences(spokenText(last.text), LONGEST_PART);
    const parts = texts.map((text) => ({ speaker: 0, text }));
    if (parts.length === 0) throw new UserError("usage", "NO_TEXT", "The last answer has no words to read.");
    const file = argument === "" ? await freeName() : argument;
    const path = expandUser(file);
    await refuseExisting(path);
    await driver.work(async (progress, signal) => {
      await noteBundled(driver.settings.speechModel, (text) => say(safeLine(text, { maxLength: 500 })));
      const started = performance.now();
      const session = await driver.openSpeech({ progress, signal });
      const loadMs = performance.now() - started;
      const { lines, stopped } = await record(session, parts, { path, loadMs, progress, signal }).finally(
        () => session.close(),
      );
      say(...lines);
      if (stopped !== undefined) throw stopped;
      if (argument !== "") return;
      progress.update({ label: "playing it" });
      const player = await playAudio(path, signal);
      if (player === undefined) say("there is no program that could play it");
    });
  },
};

/** Reads into a file. An error or Ctrl-C in the middle keeps what was spoken and is handed back. */
async function record(
  session: SpeechSession,
  parts: readonly Line[],
  { path, loadMs, progress, signal }: RecordOptions,
): Promise<{ lines: string[]; stopped: unknown }> {
  const { sampleRate } = session.loaded;
  const flags = {
    output: path,
    format: "wav",
    float: false,
    force: false,
    stream: false,
    json: false,
  } as const;
  const seed = randomInt(2 ** 32);
  const recording = await openRecording(flags, { ...session.loaded, name: session.facts.name }, seed);
  const timings: SpeechTimings = { loadMs, firstAudioMs: undefined, speakMs: 0 };
  const request = { kvType: "auto", seed, sampling: {} } as const;
  const started = performance.now();
  let cut = 0;
  let stopped: unknown;
  progress.update({ label: "speaking" });
  try {
    for await (const { part, ...chunk } of readAloud(session, parts, NO_TURNS, request, signal)) {
      await recording.add(chunk);
      if (chunk.audio.length > 0) timings.firstAudioMs ??= performance.now() - started;
      timings.speakMs = performance.now() - started;
      if (chunk.end === "cap" || chunk.end === "context") cut++;
      const seconds = (recording.samples / sampleRate).toFixed(1);
      progress.update({ label: `speaking, part ${part + 1} of ${parts.length}, ${seconds} s` });
    }
  } catch (error) {
    stopped = error;
  }
  try {
    if (recording.samples === 0) {
      return {
        lines: stopped === undefined ? ["the model ended before its first sound; try again"] : [],
        stopped,
      };
    }
    await recording.keep(false);
  } finally {
    await recording.discard();
  }
  const lines = [safeLine(path, { maxLength: 1000 }), closingLine([recording], timings, sampleRate)];
  if (cut > 0) lines.push(`${cut} of ${parts.length} parts were cut at the longest speech the model allows`);
  return { lines, stopped };
}

interface RecordOptions {
  readonly path: string;
  /** milliseconds */
  readonly loadMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** answer-1.wav, or the first number that is free, in the folder parley was started in. */
async function freeName(): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `answer-${number}.wav`;
    const isTaken = await access(name).then(
      () => true,
      () => false,
    );
    if (!isTaken) return name;
  }
}
