import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../engine/errors.js";
import type { ForwardParams, ForwardResult } from "../engine/host/protocol.js";
import type { ForwardReport } from "./forward-report.js";

interface OutputFlags {
  out?: string | undefined;
  logits: boolean;
  "hidden-states": boolean;
  attentions: boolean;
}

/** Where the files go; the folder is made. @throws UserError OUTPUT_FOLDER (exit 73) */
export async function outputsOf(flags: OutputFlags): Promise<ForwardParams["outputs"]> {
  if (flags.out === undefined) return {};
  const folder = path.resolve(flags.out);
  await makeFolder(folder);
  return {
    ...(flags.logits ? { logits: path.join(folder, "logits.npy") } : {}),
    ...(flags["hidden-states"] ? { hiddenStates: path.join(folder, "hidden_states.npy") } : {}),
    ...(flags.attentions ? { attentions: path.join(folder, "attentions.npy") } : {}),
  };
}

export function writtenFiles(
  outputs: ForwardParams["outputs"],
  { shapes }: ForwardResult,
): ForwardReport["files"] {
  return Object.entries(outputs).map(([name, file]) => ({ path: file, shape: shapes[name] ?? [] }));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new UserError(
      "cannotCreate",
      "OUTPUT_FOLDER",
      `${folder} cannot be made: ${(error as Error).message}`,
      "Choose another folder with --out.",
    );
  });
}
