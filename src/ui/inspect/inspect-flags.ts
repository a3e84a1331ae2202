import { Args } from "@oclif/core";

/** The MODEL of the inspect commands. */
export const modelArgument = Args.string({
  ignoreStdin: true,
  name: "MODEL",
  required: true,
  description: "file.gguf, checkpoint folder, Hub id org/name[@revision] or bundled name",
});
