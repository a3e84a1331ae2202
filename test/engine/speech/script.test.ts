import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readScript } from "../../../src/engine/speech/script.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-script-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(name: string, content: string) {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return readScript(file, 7);
}

describe("readScript", () => {
  it("takes a turn from every line that is not blank", async () => {
    const text =
      "0: Hello there.\r\n\n 12 :  And you: fine? \nNobody in particular.\r1999: A year.\n9:30 in the morning\n";
    expect(await read("a.txt", text)).toEqual([
      { speaker: 0, text: "Hello there." },
      { speaker: 12, text: "And you: fine?" },
      { speaker: 7, text: "Nobody in particular." },
      { speaker: 1999, text: "A year." },
      { speaker: 7, text: "9:30 in the morning" },
    ]);
  });

  it("takes a list of turns from a .json file", async () => {
    const turns = [
      { speaker: 0, text: "Hello." },
      { speaker: "1", text: "Yes?" },
    ];
    expect(await read("a.json", JSON.stringify(turns))).toEqual([turns[0], { speaker: 1, text: "Yes?" }]);
  });

  it.each([
    ["a.txt", "0: fine\n1:  \n", /line 2: speaker 1 says nothing/],
    ["a.txt", " \n\n", /nobody says anything/],
    ["a.txt", "0: a\n12345: b", /line 2: the speaker is no whole number/],
    ["a.json", "[]", /nobody says anything/],
    ["a.json", '{"speaker": 0}', /no list of turns/],
    ["a.json", '[{"speaker": 0, "text": "a"}, {"speaker": -1, "text": "b"}]', /turn 2: "speaker"/],
    ["a.json", '[{"speaker": 0, "text": " "}]', /turn 1: "text"/],
    ["a.json", '[{"speaker": 0, "text": "a", "audio": "a.wav"}]', /turn 1 has "audio"/],
    ["a.json", "[", /./],
  ])("refuses %s with %j", async (name, content, message) => {
    await expect(read(name, content)).rejects.toMatchObject({
      code: "SCRIPT",
      exit: "badFile",
      message: expect.stringMatching(message) as string,
    });
  });

  it("refuses a file that is not there", async () => {
    await expect(readScript(path.join(folder, "none.txt"), 0)).rejects.toMatchObject({ exit: "notFound" });
  });
});
