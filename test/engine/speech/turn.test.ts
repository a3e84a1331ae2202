import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseTurn, readTurns } from "../../../src/engine/speech/turn.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "parley-turns-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("parseTurn", () => {
  it("cuts at the first colon and the last equals sign", () => {
    expect(parseTurn("0:What they said=clip.wav")).toEqual({
      speaker: 0,
      text: "What they said",
      audio: "clip.wav",
    });
    expect(parseTurn("12:a:b = c\nd=x/y z.wav")).toEqual({
      speaker: 12,
      text: "a:b = c\nd",
      audio: "x/y z.wav",
    });
  });

  it.each([
    "",
    "0",
    "0:text",
    "0:=clip.wav",
    "0: =clip.wav",
    "x:text=clip.wav",
    "-1:text=c.wav",
    "0:text=",
    "99999:a=b",
  ])("refuses %j", (argument) => {
    expect(() => parseTurn(argument)).toThrow(expect.objectContaining({ code: "TURN", exitCode: 2 }));
  });
});

describe("readTurns", () => {
  const write = async (content: string) => {
    const file = path.join(folder, "turns.json");
    await writeFile(file, content);
    return file;
  };

  it("finds audio beside the file first, else where the command runs", async () => {
    await mkdir(path.join(folder, "audio"), { recursive: true });
    await writeFile(path.join(folder, "audio", "a.wav"), "");
    const turns = [
      { speaker: 0, text: "one", audio: "audio/a.wav" },
      { speaker: "3", text: "two", audio: "elsewhere.wav" },
    ];
    expect(await readTurns(await write(JSON.stringify(turns)))).toEqual([
      { speaker: 0, text: "one", audio: path.join(folder, "audio", "a.wav") },
      { speaker: 3, text: "two", audio: "elsewhere.wav" },
    ]);
    expect(await readTurns(await write("[]"))).toEqual([]);
  });

  it.each([
    ["{}", "no list"],
    ["[1]", "turn 1 is no object"],
    ['[{"speaker": 1.5, "text": "a", "audio": "b"}]', 'turn 1: "speaker"'],
    ['[{"speaker": 0, "text": " ", "audio": "b"}]', 'turn 1: "text"'],
    ['[{"speaker": 0, "text": "a", "audio": "b"}, {"speaker": 0, "text": "a"}]', 'turn 2: "audio"'],
    ["[", "line 1"],
  ])("refuses %s", async (content, message) => {
    await expect(readTurns(await write(content))).rejects.toMatchObject({
      code: "CONTEXT_JSON",
      exitCode: 65,
      message: expect.stringContaining(message) as string,
    });
  });
});
