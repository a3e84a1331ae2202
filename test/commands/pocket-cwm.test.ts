import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lineText } from "../../src/engine/trace/frame.js";
import { repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

interface Recorded {
  traces: { source: string; frames: { source: string }[] }[];
  chats: { prompt: string; text: string }[];
}

const EXACT = ["-m", "pocket-cwm", "--type", "f32", "--kv-type", "f32", "--temp", "0", "--json"];

const hasPython = spawnSync("python3", ["--version"]).status === 0;

let recorded: Recorded;
let folder: string;
beforeAll(async () => {
  const file = repositoryFile("test/reference/data/pocket-cwm.json");
  recorded = JSON.parse(await readFile(file, "utf8")) as Recorded;
  folder = await temporaryFolder();
});

describe("the bundled pocket-cwm", () => {
  it("traces programs it has not seen as transformers does, frame by frame", async () => {
    for (const [i, { source, frames }] of recorded.traces.entries()) {
      const file = path.join(folder, `${i}.py`);
      await writeFile(file, source);
      const run = await runParley(["trace", file, ...EXACT]);
      const predicted = run.stdout.trimEnd().split("\n").slice(0, -1);
      const shown = predicted.map((line) => {
        const frame = JSON.parse(line) as Record<string, unknown>;
        return "written" in frame
          ? { event: frame.event, source: frame.source, locals: frame.written }
          : { event: frame.event, source: frame.source, value: frame.value };
      });
      // a frame's line is shown without its end and without the mark of the entry
      const expected = frames.map((frame) => ({ ...frame, source: lineText(frame.source) }));
      expect(shown).toEqual(expected);
    }
  });

  it.skipIf(!hasPython)(
    "agrees with Python in every frame of the README's program (needs python3)",
    async () => {
      const program = repositoryFile("examples", "fib.py");
      const run = await runParley([
        "trace",
        program,
        "--temp",
        "0",
        "--plain",
        "--check",
        "--python",
        "python3",
      ]);
      expect([run.code, run.stderr + run.stdout]).toEqual([
        0,
        expect.stringContaining("prediction and reality agree in every frame") as string,
      ]);
    },
  );

  it("answers as transformers does, with its thinking apart", async () => {
    for (const { prompt, text } of recorded.chats) {
      const run = await runParley(["chat", ...EXACT, prompt]);
      const answer = JSON.parse(run.stdout) as { text: string; thinking: string };
      expect(`${answer.thinking}\n</think>\n${answer.text}`).toBe(text);
    }
  });
});
