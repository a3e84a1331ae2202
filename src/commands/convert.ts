import path from "node:path";
import { Args, Flags } from "@oclif/core";
import { resolveGpu } from "../engine/build/gpu.js";
import { runConversion } from "../engine/client/run-conversion.js";
import { parseByteSize } from "../engine/system/parse-byte-size.js";
import { formatBytes } from "../engine/system/format-bytes.js";
import { OUTPUT_TYPES, parseDepthType, parseOutputType } from "../engine/tensors/output-type.js";
import { describePlan, planDocument } from "../ui/describe-plan.js";
import { ensureEngine } from "../ui/ensure-engine.js";
import { fetchSource, planSource, removeDownload } from "../ui/fetch-source.js";
import { refuseExisting } from "../ui/refuse-existing.js";
import { removeDownloadFlag } from "../ui/model-flags.js";
import { BaseCommand } from "../ui/base-command.js";

export default class Convert extends BaseCommand {
  static override summary = "convert a checkpoint to GGUF, without Python, in constant memory";
  static override description =
    "SOURCE is a checkpoint folder, a Hub id, a bundled model, or a .gguf file to requantise. Prints the path of the output, " +
    "which appears complete and checked or not at all.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> ./glm-4-9b-chat-hf -t q4_k_m",
    "<%= config.bin %> <%= command.id %> facebook/cwm -t q8_0 -o cwm-q8_0.gguf",
    "<%= config.bin %> <%= command.id %> ./checkpoint --dry-run",
    "<%= config.bin %> <%= command.id %> sesame/csm-1b -t q8_0 --depth-type q4_k_m",
    "<%= config.bin %> <%= command.id %> model-f16.gguf -t q4_0",
  ];
  static override args = {
    source: Args.string({
      ignoreStdin: true,
      name: "SOURCE",
      required: true,
      description: "folder, Hub id, bundled name or .gguf file",
    }),
  };
  static override flags = {
    output: Flags.string({
      char: "o",
      helpValue: "FILE",
      description: "default: named after model and type, here",
    }),
    type: Flags.string({
      char: "t",
      default: "auto",
      helpValue: ["auto", ...OUTPUT_TYPES, "q4_k"].join("|"),
      description: "auto keeps the type of the source below 2 GB, else q4_k_m (speech: q8_0)",
    }),
    "depth-type": Flags.string({
      helpValue: OUTPUT_TYPES.join("|"),
      description: "speech: another type for the depth decoder (default: as --type)",
    }),
    "dry-run": Flags.boolean({ description: "show every tensor and the exact size, write nothing" }),
    force: Flags.boolean({ description: "replace the output if it exists" }),
    threads: Flags.integer({ min: 1, max: 64, description: "default: one per processor" }),
    "remove-download": removeDownloadFlag,
    "split-max-size": Flags.string({
      helpValue: "SIZE",
      description: "split into parts of at most this size, e.g. 4G",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Convert);
    const type = parseOutputType(flags.type);
    const depthType = flags["depth-type"] === undefined ? undefined : parseDepthType(flags["depth-type"]);
    const splitMaxBytes =
      flags["split-max-size"] === undefined ? undefined : parseByteSize(flags["split-max-size"]);
    const progress = this.progress(flags);
    const wanted = { offline: flags.offline, signal: this.signal, type, ...(depthType ? { depthType } : {}) };
    if (flags["dry-run"]) {
      const plan = await planSource(args.source, wanted);
      if (flags.json) this.answerJson(planDocument(plan, splitMaxBytes));
      else this.answer(describePlan(plan, splitMaxBytes));
      return;
    }
    // parts of a split file have names of their own
    const force = flags.force || splitMaxBytes !== undefined;
    if (flags.output !== undefined) await refuseExisting(flags.output, { force });
    const outputFolder = path.dirname(path.resolve(flags.output ?? "model.gguf"));
    const { source, origin } = await fetchSource(args.source, { ...wanted, progress, outputFolder });

    const started = performance.now();
    const conversion = runConversion(
      {
        source,
        output: flags.output,
        type,
        depthType,
        origin,
        threads: flags.threads,
        overwrite: flags.force,
        splitMaxBytes,
        hash: flags.json,
      },
      async () => (await ensureEngine(await resolveGpu("auto"), progress, this.signal)).folder,
      this.signal,
    );
    let step = await conversion.next();
    for (; step.done !== true; step = await conversion.next()) {
      const { bytesDone, bytesTotal } = step.value;
      progress.update({ label: "converting", done: bytesDone, total: bytesTotal, unit: "bytes" });
    }
    progress.finish();
    const seconds = (performance.now() - started) / 1000;
    const { files, notes, nonFinite, ...summary } = step.value;
    if (origin !== undefined && flags["remove-download"]) await removeDownload(origin);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const note of notes) this.note(note, flags);
    for (const { tensor, count } of nonFinite)
      this.note(`warning: ${tensor} holds ${count} values that are no finite numbers`, flags);

    if (flags.json) {
      const [first, ...others] = files;
      this.answerJson({
        path: first?.path,
        architecture: summary.architecture,
        type: summary.type,
        tensors: summary.tensors,
        bytes,
        seconds: Math.round(seconds * 1000) / 1000,
        sha256: first?.sha256,
        ...(others.length > 0 ? { files } : {}),
      });
      return;
    }
    this.note(
      `${summary.tensors} tensors, ${summary.type}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`,
      flags,
    );
    this.answer(files.map((file) => file.path).join("\n"));
  }
}
