#!/usr/bin/env node
// Compiles what changed, then runs: bin/dev.js chat -p hello
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", 2, 2] });
if (built.status !== 0) process.exit(built.status ?? 1);
const { main } = await import("../dist/main.js");
await main(process.argv.slice(2), import.meta.url);
