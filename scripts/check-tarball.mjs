#!/usr/bin/env node
// Packs parley, installs the tarball with npm install -g into an empty prefix, and uses it as somebody who may not
// write there: converts a checkpoint, chats with the result, chats with the bundled model. Needs the npm registry.
// The compiled engine is copied from this user's cache; --build compiles it again instead.
// Usage: node scripts/check-tarball.mjs [--build] [--keep]
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt, must, root, step } from "./prepare.mjs";

const { values } = parseArgs({
  options: { build: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
});

/** Most bytes of an installation: node-llama-cpp's prebuilt binaries alone would be 600 MB. */
const MOST_BYTES = 200e6;
/** The user "nobody" of Linux; used when this runs as root, whom no permission stops. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

const scratch = mkdtempSync(path.join(os.tmpdir(), "parley-tarball-"));
const prefix = path.join(scratch, "prefix");
const home = path.join(scratch, "home");
const parley = path.join(prefix, "bin", "parley");

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Runs the installed parley as the user who may not write to the prefix. @returns its standard output */
function run(...args) {
  const drop = isRoot ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
  const [program, ...rest] = [...drop, parley, ...args];
  const environment = { PATH: process.env.PATH, HOME: home, HF_HUB_OFFLINE: "1" };
  const result = spawnSync(program, rest, { cwd: home, env: environment, encoding: "utf8" });
  process.stderr.write(result.stderr ?? "");
  check(result.status === 0, `parley ${args[0]} ends with ${result.status ?? result.error?.message}`);
  return result.stdout;
}

function check(condition, fault) {
  if (condition) return;
  console.error(`check-tarball: ${fault}`);
  console.error(`what was made is in ${scratch}`);
  process.exit(1);
}

function answer(...args) {
  const { text, usage } = JSON.parse(run("chat", "--raw", ...args, "--temp", "0", "-n", "16", "--json"));
  check(usage.completion_tokens > 0, "the answer is empty");
  return JSON.stringify(text);
}

ensureBuilt();
step("pack");
must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch], { cwd: root });
const tarball = path.join(
  scratch,
  readdirSync(scratch).find((name) => name.endsWith(".tgz")),
);
console.log(`${path.basename(tarball)}: ${(lstatSync(tarball).size / 1e6).toFixed(0)} MB`);

step("install into an empty prefix");
must("npm", ["install", "-g", "--silent", "--ignore-scripts", "--prefix", prefix, tarball], { cwd: scratch });
const installed = filesBelow(prefix);
const bytes = installed.reduce((sum, file) => sum + lstatSync(file).size, 0);
console.log(`${installed.length} files, ${(bytes / 1e6).toFixed(0)} MB`);
check(bytes < MOST_BYTES, `the installation has ${bytes} bytes, at most ${MOST_BYTES} are expected`);

mkdirSync(home);
cpSync(path.join(root, "models", "pocket-cwm"), path.join(home, "checkpoint"), { recursive: true });
const engines = path.join(
  process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"),
  "parley",
  "engine",
);
if (!values.build) {
  const { key, ready } = JSON.parse(
    spawnSync(parley, ["engine", "info", "--json"], { encoding: "utf8" }).stdout,
  );
  check(ready, "the engine is not built yet: parley engine build, or use --build");
  cpSync(path.join(engines, key), path.join(home, ".cache", "parley", "engine", key), { recursive: true });
}
chmodSync(scratch, 0o755);
if (isRoot) {
  const own = (file) => chownSync(file, NOBODY, NOBODY);
  own(home);
  for (const entry of readdirSync(home, { recursive: true })) own(path.join(home, entry));
} else {
  for (const entry of readdirSync(prefix, { withFileTypes: true, recursive: true }))
    if (entry.isDirectory()) chmodSync(path.join(entry.parentPath, entry.name), 0o555);
}

step(`use it as ${isRoot ? `user ${NOBODY}` : "a user without write access"}`);
const before = JSON.stringify(installed.map((file) => [file, lstatSync(file).mtimeMs]));
console.log(run("--version").trim());
if (values.build) run("engine", "build");
const model = run("convert", "checkpoint", "-t", "q8_0", "-o", "tiny.gguf").trim();
console.log(`converted: ${model}`);
console.log(`its answer: ${answer("-m", "tiny.gguf", "What does len([1, 2]) return?")}`);
console.log(`the bundled model: ${answer("hello")}`);
const after = JSON.stringify(filesBelow(prefix).map((file) => [file, lstatSync(file).mtimeMs]));
check(after === before, "files in the prefix have changed");

if (!values.keep) {
  if (!isRoot) must("chmod", ["-R", "u+w", prefix]);
  rmSync(scratch, { recursive: true, force: true });
}
console.log("the tarball installs, converts and chats");
