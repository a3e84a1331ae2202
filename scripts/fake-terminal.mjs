// A terminal nobody sees, for programs that measure a screen: what is written is counted, and keys are typed with type().
import { PassThrough, Writable } from "node:stream";

/** @returns {{ streams: { stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream }, type(text: string): void, written(): string, forget(): void }} */
export function fakeTerminal({ columns, rows }) {
  let text = "";
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  Object.assign(stdout, { isTTY: true, columns, rows });
  const stdin = new PassThrough();
  Object.assign(stdin, { isTTY: true, setRawMode: () => stdin, ref: () => stdin, unref: () => stdin });
  return {
    streams: { stdin, stdout },
    type: (keys) => stdin.write(keys),
    /** what was written since forget() */
    written: () => text,
    forget: () => (text = ""),
  };
}
