import { stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors.js";
import { openCheckpoint } from "../formats/checkpoint.js";
import type { CheckpointSource } from "../formats/checkpoint-source.js";
import type { FileStamp } from "../formats/file-stamp.js";
import { readGguf } from "../formats/gguf-reader.js";
import type { OutputType } from "../tensors/output-type.js";
import { readCheckpointTexts } from "./checkpoint-texts.js";
import {
  executePlan,
  type ConversionProgress,
  type ConversionResult,
  type ExecuteOptions,
} from "./execute-plan.js";
import type { Origin } from "./general-metadata.js";
import { layoutOutput } from "./output-files.js";
import { planCheckpoint } from "./plan-checkpoint.js";
import { planGguf } from "./plan-gguf.js";
import type { ConversionPlan } from "./plan.js";

export interface PlanOptions {
  readonly type: OutputType | "auto";
  /** Type of the depth decoder, where it shall have another. */
  readonly depthType?: OutputType;
  /** Where the checkpoint comes from, when it is known. */
  readonly origin?: Origin;
}

/**
 * Plans the conversion of a checkpoint folder or a GGUF file. Reads headers and texts, no weights.
 * @param source a path, or the files of a checkpoint that is not on disk
 * @throws UserError SOURCE_UNKNOWN (exit 66), and whatever is wrong with the source
 */
export async function planConversion(
  source: string | CheckpointSource,
  options: PlanOptions,
): Promise<ConversionPlan> {
  if (typeof source !== "string" || (await isFolder(source))) {
    const texts = await readCheckpointTexts(source);
    return planCheckpoint(await openCheckpoint(source, { purpose: "convert" }), texts, options);
  }
  if (path.extname(source).toLowerCase() !== ".gguf") {
    throw new UserError(
      "notFound",
      "SOURCE_UNKNOWN",
      `${source} is neither a checkpoint folder nor a .gguf file.`,
      "Give the folder with config.json and *.safetensors, or a file that ends in .gguf.",
    );
  }
  const gguf = await readGguf(source, { purpose: "inspect" });
  return planGguf(gguf, await Promise.all(gguf.parts.map((part) => stampFile(part.path))), options);
}

async function isFolder(source: string): Promise<boolean> {
  return (await stat(source).catch(() => undefined))?.isDirectory() === true;
}

async function stampFile(file: string): Promise<FileStamp> {
  const { size, mtimeMs, ino } = await stat(file);
  return { path: file, size, mtimeMs, ino };
}

/** Where the output goes when the user names no file: the model's name and type, in the working folder. */
export function defaultOutputPath(plan: ConversionPlan): string {
  const name = plan.metadata.get("general.name");
  const stem = (name?.type === "string" ? name.value : "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[-.]+/, "");
  const depth = plan.depthType ? `-depth-${plan.depthType.toUpperCase()}` : "";
  return `${stem || plan.family}-${plan.type.toUpperCase()}${depth}.gguf`;
}

export interface ConvertOptions extends PlanOptions, ExecuteOptions {
  /** Path of the output. Default: see `defaultOutputPath`. */
  readonly output?: string;
  /** Split the output into parts of at most so many bytes of tensor data. Default: one file. */
  readonly splitMaxBytes?: number;
}

/**
 * Converts a checkpoint folder or a GGUF file.
 * @returns an async iterable of the progress; its return value is the plan and the result
 * @throws as planConversion, layoutOutput and executePlan
 */
export async function* convertCheckpoint(
  source: string,
  options: ConvertOptions,
): AsyncGenerator<ConversionProgress, { readonly plan: ConversionPlan; readonly result: ConversionResult }> {
  const plan = await planConversion(source, options);
  const outputs = layoutOutput(plan, options.output ?? defaultOutputPath(plan), options.splitMaxBytes);
  const result = yield* executePlan(plan, outputs, options);
  return { plan, result };
}
