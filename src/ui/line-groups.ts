import { Utf8Stream } from "../engine/chat/utf8-stream.js";
import { UserError } from "../engine/errors.js";

/** Longest line that is read, in characters. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * Lines of a stream, as many at a time as have come: a file gives large groups, somebody who types gives single
 * lines. A line ends with \n or \r\n; the last one may lack its end. What is no UTF-8 becomes U+FFFD.
 * @throws UserError LINE_LENGTH (exit 65)
 */
export async function* lineGroups(stream: NodeJS.ReadableStream): AsyncGenerator<string[]> {
  const decoder = new Utf8Stream();
  let open = "";
  for await (const chunk of stream) {
    const lines = (open + decoder.push(Buffer.from(chunk as Uint8Array))).split("\n");
    open = lines.pop() ?? "";
    if (open.length > LONGEST_LINE) {
      throw new UserError(
        "badFile",
        "LINE_LENGTH",
        `A line of standard input is longer than ${LONGEST_LINE} characters.`,
        "Is it a text file with one text a line?",
      );
    }
    if (lines.length > 0) yield lines.map((line) => line.replace(/\r$/, ""));
  }
  open += decoder.end();
  if (open !== "") yield [open.replace(/\r$/, "")];
}
