import { Errors } from "@oclif/core";
import { ExitCode, UserError } from "../engine/errors.js";
import { Interrupted } from "./interruption.js";
import { escapeForMessage } from "../engine/formats/escape.js";

/**
 * Prints an error the way the command line promises: one line and a hint on stderr, or an error document on
 * stdout under --json. Bugs show their stack under --debug.
 * @returns the exit code of the process
 */
export function reportError(error: unknown, argv: readonly string[]): number {
  const flags = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
  const { exitCode, code, message, hint, stack } = describe(error);
  if (error instanceof Interrupted || isSilent(error)) return exitCode;

  if (flags.includes("--json") || flags.includes("--jsonl")) {
    process.stdout.write(JSON.stringify({ error: { code, message, hint: hint ?? null } }) + "\n");
  } else {
    process.stderr.write(`Error: ${printable(message)}\n`);
    if (hint !== undefined) process.stderr.write(`  ${printable(hint)}\n`);
  }
  if (flags.includes("--debug") && stack !== undefined) process.stderr.write(`${printable(stack)}\n`);
  return exitCode;
}

interface Description {
  exitCode: number;
  code: string;
  message: string;
  hint?: string | undefined;
  stack?: string | undefined;
}

function describe(error: unknown): Description {
  if (error instanceof UserError) {
    const cause =
      error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : "";
    return {
      exitCode: error.exitCode,
      code: error.code,
      message: error.message,
      hint: error.hint,
      stack: (error.stack ?? "") + cause,
    };
  }
  if (error instanceof Interrupted)
    return { exitCode: error.exitCode, code: "INTERRUPTED", message: error.message };
  const flagFault = error instanceof Error ? FLAG_FAULT.exec(error.message) : null;
  if (flagFault) return usage(`${flagFault[1]}: ${flagFault[2]}`, ExitCode.usage);
  if (error instanceof Errors.CLIError) {
    const exit = error.oclif.exit;
    // oclif's own errors are about the command line; their text may carry an ANSI-styled help hint
    const message = error.message.replaceAll(ANSI, "").replace(HELP_HINT, "");
    return usage(message, typeof exit === "number" ? exit : ExitCode.usage);
  }
  const known = error instanceof Error ? error : new Error(String(error));
  return {
    exitCode: ExitCode.bug,
    code: "BUG",
    message: `${known.message} (this is a bug in parley)`,
    hint: "Run it again with --debug and report what it prints.",
    stack: known.stack,
  };
}

function usage(message: string, exitCode: number): Description {
  const hint = "parley help shows the commands; every command explains itself with --help.";
  return { exitCode, code: "USAGE", message, hint };
}

/** How oclif ends its messages. */
const HELP_HINT = /\nSee more help with --help$/;

/** How oclif puts what the parser of a flag throws, whatever its class: flag and fault. */
const FLAG_FAULT = /^Parsing (--[\w-]+) \n\t(.*)\nSee more help with --help$/s;

const ANSI = /\u001b\[[0-9;]*m/g;

/** help and version end oclif with an exit error that has nothing to say */
function isSilent(error: unknown): boolean {
  return error instanceof Errors.ExitError;
}

/** Keeps the line structure; everything else that could drive a terminal is escaped. */
function printable(text: string): string {
  return text
    .split("\n")
    .map((line) => escapeForMessage(line, 2000))
    .join("\n");
}
