// npm start             installs, builds the engine, traces a program and speaks with the bundled models
// npm start -- ARGS     runs parley with these arguments
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ensureBuilt, ensureDependencies, root, step } from "./prepare.mjs";

ensureDependencies();
ensureBuilt();

function parley(args) {
  const done = spawnSync(process.execPath, [path.join(root, "bin", "run.js"), ...args], { stdio: "inherit" });
  if (done.signal) process.kill(process.pid, done.signal);
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** Python 3, to check predictions with; undefined when there is none. */
function findPython() {
  return ["python3", "python"].find((name) => {
    const { status, stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
    return status === 0 && stdout.startsWith("Python 3.");
  });
}

function tellTheStory() {
  step("1. the engine: llama.cpp with parley's patches, compiled once (parley engine build)");
  parley(["engine", "build"]);

  const file = path.join(root, "examples", "fib.py");
  const python = findPython();
  const check = python === undefined ? [] : ["--check", "--python", python];
  const shown = ["trace", path.relative(process.cwd(), file), "--temp", "0", ...check].join(" ");
  step(`2. the bundled pocket-cwm, a tiny code world model, predicts what a program does (parley ${shown})`);
  process.stderr.write(readFileSync(file, "utf8").replace(/^(?=.)/gm, "   | "));
  if (python === undefined)
    process.stderr.write("   No python3 was found, so the prediction is not checked.\n");
  parley(["trace", file, "--plain", "--temp", "0", ...check]);
  process.stderr.write(
    "   (Of programs it has not seen, it gets four of five right from beginning to end: models/pocket-cwm/README.md)\n",
  );

  const words = "Hello.";
  step(`3. the bundled pocket-csm, a tiny voice, speaks (parley speak "${words}" -o hello.wav)`);
  parley(["speak", words, "--seed", "1", "--force", "-o", "hello.wav"]);

  step("Next:");
  process.stderr.write(
    [
      "   npm start -- trace examples/fib.py                step through it (s step, n next, b back, q leave)",
      '   npm start -- chat "What does this print? x = 3; x += 4; print(x)"',
      "   npm start -- chat                                 the chat screen",
      '   npm start -- speak "four five six" --speaker 1 -o six.wav',
      "   npm start -- inspect pocket-csm                   what is inside",
      '   npm start -- chat -m facebook/cwm "hello"         the real one: downloads, converts, answers',
      "   npm start -- help",
      "",
    ].join("\n"),
  );
}

const args = process.argv.slice(2);
if (args.length > 0) parley(args);
else tellTheStory();
