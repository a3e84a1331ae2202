import { key, type KeyEvent } from "./key-event.js";

const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** CSI final bytes and the numbers before "~", as xterm, the Linux console, rxvt and tmux send them. */
const CSI_LETTERS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "backtab",
};
const CSI_NUMBERS: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
};

/**
 * The bytes of a terminal, as text cut anywhere, to keys, text and pastes. What may be the beginning of a sequence is
 * held back until the rest comes, or until flush() says that nothing more came: then Escape was pressed.
 */
export class KeyDecoder {
  #held = "";
  /** pieces of a paste whose end has not come; undefined outside a paste */
  #paste: string[] | undefined;

  /** Is something waiting for what follows? */
  get isWaiting(): boolean {
    return this.#held !== "" && this.#paste === undefined;
  }

  push(chunk: string): KeyEvent[] {
    const events: KeyEvent[] = [];
    let text = this.#held + chunk;
    this.#held = "";
    while (text !== "") {
      text = this.#paste === undefined ? this.#readKey(text, events) : this.#readPaste(text, events);
    }
    return events;
  }

  /** A lone Escape, or the beginning of a sequence that never went on. */
  flush(): KeyEvent[] {
    if (!this.isWaiting) return [];
    const text = this.#held.slice(1);
    this.#held = "";
    return [key("escape"), ...(text === "" ? [] : [{ kind: "text", text } as const])];
  }

  /** @returns what is left to read */
  #readKey(text: string, events: KeyEvent[]): string {
    const plain = /^[^\x00-\x1f\x7f]+/.exec(text);
    if (plain !== null) {
      events.push({ kind: "text", text: plain[0] });
      return text.slice(plain[0].length);
    }
    if (text[0] !== "\x1b") {
      events.push(controlKey(text[0]!));
      return text.slice(1);
    }
    if (text.startsWith(PASTE_BEGIN)) {
      this.#paste = [];
      return text.slice(PASTE_BEGIN.length);
    }
    const sequence = /^\x1b(?:\[\[?[0-?]*[ -/]*[@-~]|O[@-~]|\x1b?[^[O\x1b])/u.exec(text)?.[0];
    if (sequence === undefined) {
      // two Escapes in a row, or a sequence that is not whole yet
      if (text.startsWith("\x1b\x1b")) {
        events.push(key("escape"));
        return text.slice(1);
      }
      const isBegun = /^\x1b(?:\[\[?[0-?]*[ -/]*|O)?$/.test(text);
      if (isBegun) {
        this.#held = text;
        return "";
      }
      return text.slice(1);
    }
    const event = escapeKey(sequence);
    if (event !== undefined) events.push(event);
    return text.slice(sequence.length);
  }

  #readPaste(text: string, events: KeyEvent[]): string {
    const end = text.indexOf(PASTE_END);
    if (end < 0) {
      // the end mark may be cut anywhere
      const keep = begunLength(text, PASTE_END);
      this.#paste!.push(text.slice(0, text.length - keep));
      this.#held = text.slice(text.length - keep);
      return "";
    }
    this.#paste!.push(text.slice(0, end));
    events.push({ kind: "paste", text: this.#paste!.join("").replaceAll(/\r\n?/g, "\n") });
    this.#paste = undefined;
    return text.slice(end + PASTE_END.length);
  }
}

function controlKey(char: string): KeyEvent {
  const code = char.charCodeAt(0);
  switch (code) {
    case 0x0d:
      return key("enter");
    case 0x0a:
      return key("j", { ctrl: true });
    case 0x09:
      return key("tab");
    case 0x7f:
    case 0x08:
      return key("backspace");
    case 0x00:
      return key("space", { ctrl: true });
    default:
      return key(String.fromCharCode(code + (code < 0x1b ? 0x60 : 0x40)), { ctrl: true });
  }
}

/** A whole escape sequence; undefined for one that means nothing here, such as a report of the terminal. */
function escapeKey(sequence: string): KeyEvent | undefined {
  const csi = /^\x1b\[([\d;]*)([A-Za-z~])$/.exec(sequence);
  if (csi !== null) {
    const [number = "", modifier = "1"] = csi[1]!.split(";");
    const name = csi[2] === "~" ? CSI_NUMBERS[number] : CSI_LETTERS[csi[2]!];
    // xterm's modifiers: 1 + shift 1 + alt 2 + control 4
    const bits = Number(modifier) - 1;
    return name === undefined ? undefined : key(name, { alt: (bits & 2) !== 0, ctrl: (bits & 4) !== 0 });
  }
  const ss3 = /^\x1bO([A-Z])$/.exec(sequence);
  if (ss3 !== null) {
    const name = CSI_LETTERS[ss3[1]!];
    return name === undefined ? undefined : key(name);
  }
  if (/^\x1b\[/.test(sequence)) return undefined;
  const rest = sequence.replace(/^\x1b+/, "");
  if (/^[\x00-\x1f\x7f]$/.test(rest)) {
    const plain = controlKey(rest);
    return plain.kind === "key" ? { ...plain, alt: true } : plain;
  }
  return key(rest, { alt: true });
}

/** Length of the end of a text that may be the beginning of a mark. */
function begunLength(text: string, mark: string): number {
  let length = Math.min(mark.length - 1, text.length);
  while (length > 0 && !mark.startsWith(text.slice(text.length - length))) length--;
  return length;
}
