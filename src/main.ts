import { run } from "@oclif/core";
import { ExitCode } from "./engine/errors.js";
import { reportError } from "./ui/report-error.js";

/**
 * Runs one command line and ends the process with a documented exit code (README, "Exit codes").
 * @param argv     arguments without node and the script
 * @param location import.meta.url of the script in bin/; oclif finds package.json from there
 */
export async function main(argv: string[], location: string): Promise<void> {
  guardPipes();
  let code: number = ExitCode.ok;
  try {
    await run(argv, location);
    code = Number(process.exitCode ?? ExitCode.ok);
  } catch (error) {
    code = reportError(error, argv);
  }
  await flush(process.stdout);
  await flush(process.stderr);
  process.exit(code);
}

/** A reader that goes away (`parley ... | head -1`) ends the command at once and silently, as it does for cat. */
function guardPipes(): void {
  // oclif's listener throws what is no EPIPE, which would end with a stack
  process.stdout.removeAllListeners("error");
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(ExitCode.pipeClosed);
    process.stderr.write(`Error: standard output cannot be written: ${code}\n`);
    process.exit(ExitCode.disk);
  });
  process.stderr.on("error", () => undefined);
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write("", () => resolve());
  });
}
