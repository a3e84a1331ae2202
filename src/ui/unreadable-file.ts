import { UserError } from "../engine/errors.js";

/**
 * Why a file that the user named cannot be read.
 * @param code stable identifier of what it was for, for example "PROMPT_FILE"
 * @returns a refusal with exit 77 where permissions are missing, else 66
 */
export function unreadableFile(error: unknown, file: string, code: string): UserError {
  const { code: reason, message } = error as NodeJS.ErrnoException;
  if (reason === "EACCES" || reason === "EPERM") {
    const hint = "Change its permissions, or run as a user who may read it.";
    return new UserError("accessDenied", code, `${file} cannot be read: permission denied.`, hint, {
      cause: error,
    });
  }
  const found =
    reason === "ENOENT"
      ? "does not exist"
      : reason === "EISDIR"
        ? "is a folder"
        : `cannot be read: ${message}`;
  return new UserError("notFound", code, `${file} ${found}.`, "Check the path.", { cause: error });
}
