import type { Interfaces } from "@oclif/core";
import { resolveGpu } from "../engine/build/gpu.js";
import type { BenchProgress } from "../engine/bench/bench-progress.js";
import { besideMemory, type BesideMemory } from "../engine/bench/beside-memory.js";
import { benchSpeech } from "../engine/bench/bench-speech.js";
import { benchText } from "../engine/bench/bench-text.js";
import { memoryUse } from "../engine/bench/memory-use.js";
import { bytesPerFrame, bytesPerToken, openWeights } from "../engine/bench/weights-read.js";
import type { ModelFacts } from "../engine/client/model-facts.js";
import { BaseCommand } from "../ui/base-command.js";
import { benchFlags, promptsThatFit, speechCache } from "../ui/bench-flags.js";
import {
  speechBenchDocument,
  speechBenchTable,
  textBenchDocument,
  textBenchTable,
} from "../ui/bench-report.js";
import { defaultContextSize } from "../ui/chat-options.js";
import { BATCH_SIZE } from "../ui/context-sizer.js";
import { ensureEngine } from "../ui/ensure-engine.js";
import { findModel } from "../ui/find-model.js";
import { modelInsteadOfWord, modelOf, modelWord } from "../ui/model-argument.js";
import { flashAttention, modelFlags } from "../ui/model-flags.js";
import { requireTextModel } from "../ui/model-use.js";
import { openSpeechModel } from "../ui/open-speech-model.js";
import { openTextModel } from "../ui/open-text-model.js";
import type { Progress } from "../ui/progress.js";

const USAGE = "parley bench MODEL";

export default class Bench extends BaseCommand {
  static override summary = "how fast a model is on this machine";
  static override description = [
    "A model that writes: tokens read and written per second and the time to the first token, as chat --stats gives them.",
    "A model that speaks: milliseconds per frame, the real-time factor (RTF, seconds of computing per second of audio),",
    "the time to the first audio, and the codec both ways. After a warm-up come --repeat rounds; medians are shown.",
    "",
    "On the CPU also how much of the memory's bandwidth the weights take, of what as many threads read that do nothing",
    "else, measured before and after. A small model may stay in the caches: its share says nothing.",
  ].join("\n");
  static override examples = [
    "<%= config.bin %> <%= command.id %> cwm-q4_k_m.gguf",
    "<%= config.bin %> <%= command.id %> ./glm-4-9b-chat-hf --prompt 512,4096 --generate 64 --json",
    "<%= config.bin %> <%= command.id %> sesame/csm-1b --repeat 5",
  ];
  static override args = { model: modelWord };
  static override flags = { model: modelInsteadOfWord, ...benchFlags, ...modelFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Bench);
    const model = modelOf(args, flags.model, USAGE);
    const progress = this.progress(flags);
    const facts = await findModel({ model, flags, progress, signal: this.signal });
    if (!facts.speech) requireTextModel(facts);
    // an engine that must be compiled first is not part of the time that loading takes
    await ensureEngine(await resolveGpu(flags.gpu), progress, this.signal);
    await (facts.speech ? this.speaking(facts, progress, flags) : this.writing(facts, progress, flags));
  }

  private async writing(facts: ModelFacts, progress: Progress, flags: BenchFlags): Promise<void> {
    const prompts = promptsThatFit(facts, flags);
    const { type, tensors } = await openWeights(facts.path, this.signal);
    const started = performance.now();
    const { session } = await openTextModel({ model: facts.path, flags, progress, signal: this.signal });
    try {
      const loadMs = performance.now() - started;
      const { gpu } = session.loaded;
      const subject = { ...this.subject(facts, flags), type, gpu, threads: session.threads, loadMs };
      const kvType = flags["kv-type"] ?? "f16";
      const contextSize = defaultContextSize(facts, Math.max(...prompts), flags.generate);
      const context = {
        contextSize,
        batchSize: Math.min(BATCH_SIZE, contextSize),
        kvType,
        flashAttention: flashAttention({ "kv-type": kvType, "flash-attn": flags["flash-attn"] }),
        swaFull: flags["swa-full"],
      };
      const plan = { prompts, generate: flags.generate, rounds: flags.repeat, context };
      const { result: runs, machine } = await this.measure(
        benchText(session, plan, this.signal),
        subject,
        progress,
      );
      const bytes = bytesPerToken(tensors);
      const rate = Math.max(...runs.map(({ tokens_per_second }) => tokens_per_second.median));
      const report = [subject, runs, bytes, memoryUse(bytes, rate, machine)] as const;
      if (flags.json) this.answerJson(textBenchDocument(...report));
      else this.answer(textBenchTable(...report));
    } finally {
      await session.close();
    }
  }

  private async speaking(facts: ModelFacts, progress: Progress, flags: BenchFlags): Promise<void> {
    const kvType = speechCache(flags["kv-type"]);
    const { type, tensors } = await openWeights(facts.path, this.signal);
    const started = performance.now();
    const model = { ...flags, model: facts.path };
    const session = await openSpeechModel({ flags: model, progress, signal: this.signal });
    try {
      const loadMs = performance.now() - started;
      const gpu = session.onGpu ? "cuda" : false;
      const subject = { ...this.subject(facts, flags), type, gpu, threads: session.threads, loadMs } as const;
      const plan = { frames: flags.frames, rounds: flags.repeat, kvType };
      const { result: run, machine } = await this.measure(
        benchSpeech(session, plan, this.signal),
        subject,
        progress,
      );
      const bytes = bytesPerFrame(tensors, session.loaded.codebooks);
      const report = [subject, run, bytes, memoryUse(bytes, 1000 / run.frame_ms.median, machine)] as const;
      if (flags.json) this.answerJson(speechBenchDocument(...report));
      else this.answer(speechBenchTable(...report));
    } finally {
      await session.close();
    }
  }

  private subject({ path, family }: ModelFacts, { repeat }: { repeat: number }) {
    return { model: path, family: family.name, rounds: repeat };
  }

  /** Runs a benchmark with its progress. On a GPU what this machine's memory gives says nothing. */
  private async measure<Result>(
    run: AsyncGenerator<BenchProgress, Result>,
    { gpu, threads }: { gpu: string | false; threads: number },
    progress: Progress,
  ): Promise<BesideMemory<Result>> {
    try {
      const both = besideMemory(run, gpu === false ? threads : 0, this.signal);
      let step = await both.next();
      for (; step.done !== true; step = await both.next()) progress.update(step.value);
      return step.value;
    } finally {
      progress.finish();
    }
  }
}

type BenchFlags = Interfaces.InferredFlags<typeof Bench.flags> &
  Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;
