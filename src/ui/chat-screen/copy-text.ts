import { spawn } from "node:child_process";

/** Programs that take a text from stdin to the clipboard, and what must be set for them to reach one. */
const PROGRAMS = [
  { command: "pbcopy", args: [], needs: undefined, platform: "darwin" },
  { command: "clip.exe", args: [], needs: "WSL_DISTRO_NAME", platform: undefined },
  { command: "wl-copy", args: [], needs: "WAYLAND_DISPLAY", platform: undefined },
  { command: "xclip", args: ["-selection", "clipboard"], needs: "DISPLAY", platform: undefined },
  { command: "xsel", args: ["--clipboard", "--input"], needs: "DISPLAY", platform: undefined },
] as const;

/**
 * Copies a text with the first program that works; over SSH, or without one, the terminal is asked to (OSC 52).
 * @returns how it was done, for the user
 */
export async function copyText(text: string): Promise<string> {
  const isRemote = Boolean(process.env.SSH_CONNECTION);
  for (const { command, args, needs, platform } of isRemote ? [] : PROGRAMS) {
    if (platform !== undefined && platform !== process.platform) continue;
    if (needs !== undefined && !process.env[needs]) continue;
    if (await feed(command, args, text)) return `with ${command}`;
  }
  process.stdout.write(`\u001b]52;c;${Buffer.from(text, "utf8").toString("base64")}\u0007`);
  return "by asking the terminal (OSC 52; some terminals do not listen, tmux only with set-clipboard on)";
}

function feed(command: string, args: readonly string[], text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "ignore"] });
    child.once("error", () => resolve(false));
    // xclip stays in the background to serve the text; its parent ends at once
    child.once("exit", (code) => resolve(code === 0));
    child.stdin.on("error", () => undefined);
    child.stdin.end(text);
  });
}
