// What npm start and npm test share: dependencies and dist/, made only when something changed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const [major] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`parley needs Node 20 or later; this is ${process.version} (${process.execPath}).`);
  process.exit(1);
}

export function step(text) {
  process.stderr.write(`\n-- ${text}\n`);
}

/** Runs a program with its output on stderr and ends this process when it fails. */
export function must(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (done.error) console.error(`${program} could not be run: ${done.error.message}`);
  if (done.status !== 0) process.exit(done.status ?? 1);
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => modified(path.join(entry.parentPath, entry.name))),
  );
}

/** Installs exactly what the lock file names. node-llama-cpp's own install step would build a second engine. */
export function ensureDependencies() {
  const installed = modified(path.join(root, "node_modules", ".package-lock.json"));
  if (installed >= modified(path.join(root, "npm-shrinkwrap.json"))) return;
  step("installing dependencies (npm ci)");
  npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
}

function npm(...args) {
  const script = process.env.npm_execpath;
  if (script) must(process.execPath, [script, ...args]);
  else must("npm", args, { shell: process.platform === "win32" });
}

export function ensureBuilt() {
  const built = Math.min(
    modified(path.join(root, "dist", ".tsbuildinfo")),
    modified(path.join(root, "oclif.manifest.json")),
  );
  const sources = Math.max(newest(path.join(root, "src")), modified(path.join(root, "tsconfig.build.json")));
  if (built >= sources) return;
  step("compiling parley (tsc)");
  npm("run", "build", "--silent");
}
