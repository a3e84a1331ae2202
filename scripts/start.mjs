// npm start             installs, builds the engine, converts the bundled model and lets it answer
// npm start -- ARGS     runs parley with these arguments
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { ensureBuilt, ensureDependencies, root, step } from "./prepare.mjs";

ensureDependencies();
ensureBuilt();

function parley(args, { stdio = "inherit" } = {}) {
  const done = spawnSync(process.execPath, [path.join(root, "bin", "run.js"), ...args], { stdio });
  if (done.signal) process.kill(process.pid, done.signal);
  if (done.status !== 0) process.exit(done.status ?? 1);
}

const args = process.argv.slice(2);
if (args.length > 0) {
  parley(args);
} else {
  step("1. the engine: llama.cpp with parley's patches, compiled once (parley engine build)");
  parley(["engine", "build"]);
  step("2. what is in the bundled checkpoint (parley convert tiny-cwm --dry-run)");
  parley(["convert", "tiny-cwm", "--dry-run"]);
  step(
    '3. a question; the checkpoint is converted to GGUF first (parley chat --no-think --stats "What does 1 + 1 give?")',
  );
  parley(["chat", "--stats", "--no-think", "--temp", "0", "-n", "24", "What does 1 + 1 give?"]);
  const wav = path.join(os.tmpdir(), "parley-hello.wav");
  step(`4. a sentence, spoken by the bundled tiny-csm (parley speak "Hello there." --seed 1 -o ${wav})`);
  parley(["speak", "Hello there.", "--seed", "1", "--max-seconds", "2", "--force", "-o", wav]);
  step(
    "The bundled models are random numbers in the shape of a CWM and a CSM: that they answer and make a sound shows\n" +
      "   that everything runs, nothing more.",
  );
  process.stderr.write(
    '   Next: npm start -- chat -m /path/to/checkpoint "hello"   (facebook/cwm or glm-4-9b-chat-hf, as a folder)\n' +
      "         npm start -- chat                                  (the chat screen)\n" +
      "         npm start -- inspect tiny-cwm\n" +
      "         npm start -- help\n",
  );
}
