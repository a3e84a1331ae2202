import { spawn } from "node:child_process";
import path from "node:path";

/** Programs that play a WAV file and end with it, the system's own first. */
const PLAYERS = [
  { command: "afplay", args: [] },
  { command: "pw-play", args: [] },
  { command: "paplay", args: [] },
  { command: "aplay", args: ["-q"] },
  { command: "ffplay", args: ["-nodisp", "-autoexit", "-loglevel", "quiet"] },
  { command: "play", args: ["-q"] },
] as const;

/**
 * Plays an audio file with the first program that is installed and can.
 * @param signal stops the sound
 * @returns the program's name; undefined where none could play it
 */
export async function playAudio(file: string, signal: AbortSignal): Promise<string | undefined> {
  for (const { command, args } of PLAYERS) {
    signal.throwIfAborted();
    if (await run(command, [...args, path.resolve(file)], signal)) return command;
  }
  return undefined;
}

function run(command: string, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "ignore", signal });
    child.once("error", (error) => (signal.aborted ? reject(error) : resolve(false)));
    child.once("exit", (code) => resolve(code === 0));
  });
}
