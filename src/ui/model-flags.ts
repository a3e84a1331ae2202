import { Flags } from "@oclif/core";
import { GPU_CHOICES } from "../engine/build/gpu.js";
import { KV_TYPES } from "../engine/host/protocol.js";
import { OUTPUT_TYPES } from "../engine/tensors/output-type.js";

/** A checkpoint of 60 GB is not needed twice; a folder of the user's always stays. */
export const removeDownloadFlag = Flags.boolean({
  helpGroup: "MODEL",
  description: "delete a Hub download once it is converted",
});

/** How a model is found and where it runs. */
export const modelFlags = {
  type: Flags.string({
    default: "auto",
    helpGroup: "MODEL",
    helpValue: ["auto", ...OUTPUT_TYPES].join("|"),
    description: "quantisation of a checkpoint that is converted on first use",
  }),
  "remove-download": removeDownloadFlag,
  gpu: Flags.option({
    options: GPU_CHOICES,
    default: "auto" as const,
    helpGroup: "MODEL",
    description: "backend; auto looks for a device",
  })(),
  "gpu-layers": Flags.integer({
    min: 0,
    helpGroup: "MODEL",
    description: "layers on the GPU (default: as many as fit)",
  }),
  threads: Flags.integer({
    min: 1,
    max: 256,
    helpGroup: "MODEL",
    description: "default: one per core, one alone for small models",
  }),
};

/** How the context is laid out. */
export const contextFlags = {
  "ctx-size": Flags.integer({
    char: "c",
    min: 16,
    helpGroup: "CONTEXT",
    description: "tokens of prompt and answer together (default: 8192, or more if the prompt needs it)",
  }),
  "kv-type": Flags.option({
    options: KV_TYPES,
    default: "f16" as const,
    helpGroup: "CONTEXT",
    description: "type of the cache; f32 is exact and turns flash attention off",
  })(),
  "flash-attn": Flags.option({
    options: ["on", "off", "auto"] as const,
    default: "auto" as const,
    helpGroup: "CONTEXT",
    description: "fused attention",
  })(),
  "swa-full": Flags.boolean({
    helpGroup: "CONTEXT",
    description: "full-size caches for sliding layers: more memory, cheap edits of old turns",
  }),
};

/** -m, with the environment variable that stands for it. */
export function modelFlag(bundledDefault: string) {
  return Flags.string({
    char: "m",
    env: "PARLEY_MODEL",
    default: bundledDefault,
    helpGroup: "MODEL",
    description: "file.gguf, checkpoint folder, Hub id org/name[@revision] or bundled name",
  });
}

/** With an exact cache, "auto" means off: flash attention rounds keys and values to f16. */
export function flashAttention(flags: {
  "kv-type": string;
  "flash-attn": "on" | "off" | "auto";
}): "on" | "off" | "auto" {
  return flags["kv-type"] === "f32" && flags["flash-attn"] === "auto" ? "off" : flags["flash-attn"];
}
