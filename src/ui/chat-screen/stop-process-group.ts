import { setTimeout as sleep } from "node:timers/promises";

/** Where nothing stops us, as without job control, the screen comes back after this long. */
const STOPPED_MS = 100;

/**
 * Stops this process and all that were started with it, the engine among them, as the terminal's own Ctrl-Z would; raw
 * mode has taken it away. Resolves when they go on.
 */
export async function stopProcessGroup(): Promise<void> {
  if (process.platform === "win32") return;
  process.kill(0, "SIGTSTP");
  await sleep(STOPPED_MS);
}
