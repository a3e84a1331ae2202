import { availableParallelism } from "node:os";
import { defaultOutputPath, planConversion } from "../convert/convert-checkpoint.js";
import type { ConversionProgress } from "../convert/execute-plan.js";
import type { Origin } from "../convert/general-metadata.js";
import { needsQuantizer } from "../convert/plan.js";
import { convertAndSummarise, type ConversionSummary } from "../convert/summarise-conversion.js";
import type { OutputType } from "../tensors/output-type.js";
import { EngineProcess } from "./engine-process.js";

export interface ConversionRequest {
  /** checkpoint folder or GGUF file */
  source: string;
  /** default: named after the model and the type, in the working folder */
  output?: string | undefined;
  type: OutputType | "auto";
  /** of the depth decoder, where it shall have another */
  depthType?: OutputType | undefined;
  origin?: Origin | undefined;
  /** default: one per processor */
  threads?: number | undefined;
  overwrite?: boolean;
  splitMaxBytes?: number | undefined;
  hash?: boolean;
}

/**
 * Converts a model. Float output is made in this process and needs no engine; a conversion that quantises runs in
 * an engine process, so that tensor data never crosses between processes.
 * @param engineFolder called only when the conversion quantises; it may build the engine first
 * @throws as planConversion and executePlan; UserError ENGINE_*
 */
export async function* runConversion(
  request: ConversionRequest,
  engineFolder: () => Promise<string>,
  signal?: AbortSignal,
): AsyncGenerator<ConversionProgress, ConversionSummary> {
  const { type, depthType, origin } = request;
  const planned = { type, ...(depthType ? { depthType } : {}), ...(origin ? { origin } : {}) };
  const plan = await planConversion(request.source, planned);
  const options = {
    ...planned,
    output: request.output ?? defaultOutputPath(plan),
    threads: request.threads ?? availableParallelism(),
    overwrite: request.overwrite ?? false,
    hash: request.hash ?? false,
    ...(request.splitMaxBytes === undefined ? {} : { splitMaxBytes: request.splitMaxBytes }),
  };
  if (!needsQuantizer(plan)) {
    return yield* convertAndSummarise(request.source, { ...options, ...(signal ? { signal } : {}) });
  }
  const folder = await engineFolder();
  // one pool thread quantises (it starts native threads of its own), another reads and writes
  const engine = new EngineProcess({ poolSize: 3 });
  try {
    return yield* engine.stream(
      "convert",
      { ...options, engineFolder: folder, source: request.source },
      signal,
    );
  } finally {
    await engine.close();
  }
}
