import { describe, expect, it } from "vitest";
import { KeyDecoder } from "../../../../src/ui/chat-screen/input/key-decoder.js";
import { keyName, type KeyEvent } from "../../../../src/ui/chat-screen/input/key-event.js";

function shown(event: KeyEvent): string {
  return event.kind === "key"
    ? `<${keyName(event)}>`
    : event.kind === "paste"
      ? `[${event.text}]`
      : event.text;
}

function decode(...chunks: string[]): string {
  const decoder = new KeyDecoder();
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.flush()].map(shown).join("");
}

describe("KeyDecoder", () => {
  it.each([
    ["a", "a"],
    ["héllo 🎉 שלום", "héllo 🎉 שלום"],
    ["\r", "<enter>"],
    ["\n", "<ctrl-j>"],
    ["\t", "<tab>"],
    ["\x7f", "<backspace>"],
    ["\x01\x05\x0b\x15\x17", "<ctrl-a><ctrl-e><ctrl-k><ctrl-u><ctrl-w>"],
    ["\x03\x04", "<ctrl-c><ctrl-d>"],
    ["\x1bb\x1bf", "<alt-b><alt-f>"],
    ["\x1b\r", "<alt-enter>"],
    ["\x1b\x7f", "<alt-backspace>"],
    ["\x1b[A\x1b[B\x1b[C\x1b[D", "<up><down><right><left>"],
    ["\x1bOA\x1bOH", "<up><home>"],
    ["\x1b[1~\x1b[4~\x1b[3~", "<home><end><delete>"],
    ["\x1b[1;5D\x1b[1;3C", "<ctrl-left><alt-right>"],
    ["\x1b", "<escape>"],
    ["\x1b[200~a\r\nb\x1b[A\x03\x1b[201~c", "[a\nb\x1b[A\x03]c"],
    // reports of the terminal mean nothing here
    ["\x1b[?1;2c\x1b[12;40Rx", "x"],
  ])("%j is %s", (input, expected) => {
    expect(decode(input)).toBe(expected);
  });

  it("does not depend on where the input is cut", () => {
    const input = "a\x1b[1;5Db\x1b[200~one\ntwo \x1b[2x\x1b[201~é🎉\x1bOA\x1bbz\x1b[3~";
    const whole = decode(input);
    for (let first = 1; first < input.length; first++) {
      for (const second of [first + 1, first + 3, first + 7]) {
        // a pair of surrogates arrives whole: the terminal's bytes are decoded before
        const parts = [input.slice(0, first), input.slice(first, second), input.slice(second)];
        const decoder = new KeyDecoder();
        const events = parts.flatMap((part) => decoder.push(part));
        expect([...events, ...decoder.flush()].map(shown).join(""), `cut at ${first}, ${second}`).toBe(whole);
      }
    }
  });

  it("takes a paste of megabytes", () => {
    const text = "0123456789abcdef".repeat(2 ** 17);
    const decoder = new KeyDecoder();
    const events: KeyEvent[] = decoder.push("\x1b[200~");
    for (let at = 0; at < text.length; at += 1021) events.push(...decoder.push(text.slice(at, at + 1021)));
    events.push(...decoder.push("\x1b[20"), ...decoder.push("1~"));
    expect(events).toEqual([{ kind: "paste", text }]);
  });
});
