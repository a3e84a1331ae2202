/**
 * Exit codes of the command line (sysexits.h where a meaning exists there).
 * CLI documentation and tests rely on these numbers.
 */
export const ExitCode = {
  ok: 0,
  bug: 1,
  usage: 2,
  /** parley trace: a limit cut the trace off */
  traceCut: 3,
  /** parley trace: the model wrote frames that are not as the grammar has them */
  traceMalformed: 4,
  badFile: 65,
  notFound: 66,
  network: 69,
  engineDied: 70,
  outOfMemory: 71,
  cannotCreate: 73,
  disk: 74,
  tryLater: 75,
  accessDenied: 77,
  interrupted: 130,
  terminated: 143,
  pipeClosed: 141,
} as const;

export type ExitCodeName = keyof typeof ExitCode;

/**
 * An error the user can act on: one line that names the file and the place, and a hint with the next step.
 * Everything else that is thrown is a bug of ours and is shown as such.
 */
export class UserError extends Error {
  override readonly name = "UserError";

  /**
   * @param exit    which exit code the process ends with
   * @param code    stable identifier for scripts, e.g. "ST_TRUNCATED"
   * @param message one line: what, where, expected and found
   * @param hint    what to do next
   */
  constructor(
    readonly exit: ExitCodeName,
    readonly code: string,
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get exitCode(): number {
    return ExitCode[this.exit];
  }
}

/** Was this error caused by an AbortSignal (Ctrl-C, a closed session)? */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}
