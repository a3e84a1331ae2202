import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/**
 * Lets the user write a text in their editor. The process waits meanwhile: nothing else may draw.
 * @returns the text as saved, or what went wrong
 */
export function editExternally(text: string): { text: string } | { problem: string } {
  const command = process.env.VISUAL || process.env.EDITOR || "vi";
  const folder = mkdtempSync(path.join(os.tmpdir(), "parley-message-"));
  const file = path.join(folder, "message.md");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    // $EDITOR may hold arguments, as in "code --wait"
    const run =
      process.platform === "win32"
        ? spawnSync(`${command} "${file}"`, { shell: true, stdio: "inherit" })
        : spawnSync("/bin/sh", ["-c", `${command} "$1"`, "sh", file], { stdio: "inherit" });
    if (run.error !== undefined) return { problem: `${command}: ${run.error.message}` };
    if (run.status !== 0) return { problem: `${command} ended with ${run.signal ?? `code ${run.status}`}` };
    return { text: readFileSync(file, "utf8").replace(/\r\n?/g, "\n").replace(/\n$/, "") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
