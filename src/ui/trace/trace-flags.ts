import { Flags } from "@oclif/core";
import { contextFlags, modelFlag, modelFlags } from "../model-flags.js";

/** Flags of `parley trace`. */
export const traceFlags = {
  model: modelFlag("pocket-cwm"),
  entry: Flags.string({
    helpGroup: "PROGRAM",
    helpValue: '"f(1, 2)"',
    description: "where to begin: a call, or a function whose arguments the model makes up",
  }),
  steps: Flags.integer({ min: 1, helpGroup: "PROGRAM", description: "end after this many frames" }),
  plain: Flags.boolean({ helpGroup: "PROGRAM", description: "print the frames, also on a terminal" }),
  check: Flags.boolean({
    helpGroup: "CHECK",
    description: "EXECUTE the program with real Python, and compare frame by frame",
  }),
  python: Flags.string({
    default: "python3",
    env: "PARLEY_PYTHON",
    helpGroup: "CHECK",
    description: "the interpreter, 3.8 or later",
  }),
  seconds: Flags.integer({
    default: 10,
    min: 1,
    max: 3600,
    helpGroup: "CHECK",
    description: "time limit of the real run",
  }),
  memory: Flags.integer({
    default: 1024,
    min: 64,
    max: 1 << 20,
    helpGroup: "CHECK",
    helpValue: "MIB",
    description: "memory limit of the real run",
  }),
  temp: Flags.string({
    default: "0.6",
    helpGroup: "SAMPLING",
    description: "temperature; 0 takes the likeliest token",
  }),
  "top-p": Flags.string({ default: "0.95", helpGroup: "SAMPLING", description: "0 to 1" }),
  seed: Flags.integer({
    min: 0,
    max: 2 ** 32 - 1,
    helpGroup: "SAMPLING",
    description: "the same seed gives the same trace",
  }),
  "frame-tokens": Flags.integer({
    default: 2048,
    min: 4,
    helpGroup: "LIMITS",
    description: "longest frame",
  }),
  "max-frames": Flags.integer({ default: 1000, min: 1, helpGroup: "LIMITS", description: "most frames" }),
  ...contextFlags,
  ...modelFlags,
};
