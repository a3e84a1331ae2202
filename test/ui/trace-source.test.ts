import os from "node:os";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { readTraceSource } from "../../src/ui/trace/trace-source.js";

const piped = (bytes: Uint8Array) => Readable.from([bytes]) as unknown as NodeJS.ReadStream;

it("reads a program from standard input", async () => {
  const source = await readTraceSource("-", piped(Buffer.from("é = 1\n")));
  expect(source).toMatchObject({ text: "é = 1\n", name: "standard input" });
});

it("refuses standard input that is no UTF-8, as it does a file", async () => {
  await expect(readTraceSource(undefined, piped(Uint8Array.of(0x78, 0xff)))).rejects.toMatchObject({
    code: "PROGRAM_ENCODING",
    message: "standard input is no UTF-8 text.",
  });
});

it("says that a folder is one", async () => {
  const folder = os.tmpdir();
  await expect(readTraceSource(folder, piped(Buffer.of()))).rejects.toMatchObject({
    code: "PROGRAM_FILE",
    message: `${folder} is a folder.`,
  });
});
