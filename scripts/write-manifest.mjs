// Writes oclif.manifest.json: what the commands are called and take, so that running one does not load them all.
// Part of npm run build.
import { Plugin } from "@oclif/core";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const plugin = new Plugin({
  errorOnManifestCreate: true,
  ignoreManifest: true,
  respectNoCacheDefault: true,
  root,
});
await plugin.load();
writeFileSync(path.join(root, "oclif.manifest.json"), `${JSON.stringify(plugin.manifest)}\n`);
