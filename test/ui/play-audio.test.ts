import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { playAudio } from "../../src/ui/play-audio.js";
import { temporaryFolder } from "../helpers/models.js";

let folder: string;
const { PATH } = process.env;
beforeEach(async () => {
  folder = await temporaryFolder();
  process.env.PATH = folder;
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true, force: true });
});

async function player(name: string, script: string): Promise<void> {
  await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(folder, name), 0o755);
}

const never = new AbortController().signal;

describe.skipIf(process.platform === "win32")("playAudio", () => {
  it("takes the first program that can play the file", async () => {
    await player("paplay", "exit 1");
    await player("aplay", `printf '%s|' "$@" > ${folder}/played`);
    await player("play", `printf wrong > ${folder}/played`);
    expect(await playAudio("/some/a file.wav", never)).toBe("aplay");
    expect(await readFile(path.join(folder, "played"), "utf8")).toBe("-q|/some/a file.wav|");
  });

  it("says that there is none", async () => {
    expect(await playAudio("a.wav", never)).toBeUndefined();
  });

  it("stops with the signal", async () => {
    await player("aplay", "exec /bin/sleep 60");
    const controller = new AbortController();
    const playing = playAudio("a.wav", controller.signal);
    setTimeout(() => controller.abort(), 200);
    await expect(playing).rejects.toMatchObject({ name: "AbortError" });
  });
});
