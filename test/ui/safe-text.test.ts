import { describe, expect, it } from "vitest";
import { SafeTextFilter, safeLine, safeText, safely } from "../../src/ui/safe-text.js";
import { seededRandom, type Random } from "../helpers/seeded-random.js";

/** What a terminal would act on, or what would hide; \n and \t are all the control there is. */
const FORBIDDEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/u;

function streamed(pieces: readonly string[]): string {
  const filter = new SafeTextFilter();
  return pieces.map((piece) => filter.push(piece)).join("") + filter.end();
}

function cutAnywhere(text: string, random: Random): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + random.integer(random.integer(4) === 0 ? 40 : 4);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** Building blocks that meet in nasty ways, beside arbitrary code units. */
const BLOCKS = [
  ..."\x1b \x9b \x9d \x90 \x98 \x9e \x9f \x9c \x07 \x18 \r \n \r\n \t \x00 \x7f \x85 [ ] P \\ 31m 2J ; ? ( a é 漢 🙂 \u0301 \u202e \u202a \u202c \u2066 \u2069 \u200f \u061c א ب \u{10800} \u2028 \ufeff \u{e0041} \ud800 \udc00 \u200d".split(
    " ",
  ),
  " ",
  "\x1b]52;c;aGk=\x07",
  "\x1b[1;31m",
  "\u0301".repeat(10),
  "x".repeat(200),
];

function nastyText(random: Random): string {
  const parts = Array.from({ length: random.integer(30) }, () =>
    random.integer(6) === 0 ? String.fromCharCode(random.integer(0x10000)) : random.pick(BLOCKS),
  );
  return parts.join("");
}

/** Payloads against terminals: what is sent, and what may be left of it. */
const PAYLOADS: Record<string, [sent: string, shown: string]> = {
  "a colour": ["a\x1b[1;31mred\x1b[0m", "ared"],
  "a colour with colons": ["\x1b[38:2::255:0:0mx", "x"],
  "clearing the screen": ["\x1b[2J\x1b[3J\x1b[Hhi", "hi"],
  "moving the cursor up": ["one\n\x1b[1A\x1b[2Ktwo", "one\ntwo"],
  "a private mode": ["\x1b[?1049h\x1b[?1000h\x1b[?2004lx", "x"],
  "a device report": ["\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[5ix", "x"],
  "a reset": ["\x1bcx", "x"],
  "a charset": ["\x1b(0lqqk\x1b(B", "lqqk"],
  "an 8-bit CSI": ["\x9b31mx", "x"],
  "a title ended by BEL": ["\x1b]0;pwned\x07x", "x"],
  "a title ended by ST": ["\x1b]2;pwned\x1b\\x", "x"],
  "a title ended by 8-bit ST": ["\x1b]2;pwned\x9cx", "x"],
  "an 8-bit title": ["\x9d0;pwned\x07x", "x"],
  "the clipboard": ["\x1b]52;c;cm0gLXJmIC8=\x07x", "x"],
  "a link": ["\x1b]8;;http://evil.example/\x1b\\safe\x1b]8;;\x1b\\", "safe"],
  "a notification": ["\x1b]9;hi\x07\x1b]777;notify;a;b\x07x", "x"],
  "an image": ["\x1b]1337;File=inline=1:AAAA\x07x", "x"],
  "a colour query": ["\x1b]11;?\x07x", "x"],
  "a sixel": ["\x1bPq#0;2;0;0;0~~\x1b\\x", "x"],
  "a DCS request": ["\x1bP+q544e\x1b\\x", "x"],
  "an APC of a terminal": ["\x1b_Gf=24;AAAA\x1b\\x", "x"],
  "a privacy message": ["\x1b^secret\x1b\\x", "x"],
  "a start of string": ["\x1bXsecret\x1b\\x", "x"],
  "a title without end": ["\x1b]0;the answer", "␛]0;the answer"],
  "a title cut by another sequence": ["\x1b]0;ab\x1b[31mc", "␛]0;abc"],
  "a CSI without end": ["\x1b[31", "␛[31"],
  "a CSI with a line break": ["\x1b[3\n1m", "␛[3\n1m"],
  "an escape before a letter beyond ASCII": ["\x1bé", "␛é"],
  "an escape at the end": ["x\x1b", "x␛"],
  "many escapes": ["\x1b\x1b\x1b[31mx", "␛␛x"],
  "writing over a line": ["rm -rf /\rls      ", "rm -rf /␍ls      "],
  "line ends of Windows": ["a\r\nb\r\n", "a\nb\n"],
  backspaces: ["evil\b\b\b\bgood", "evil␈␈␈␈good"],
  "a bell": ["\x07", "␇"],
  nothing: ["a\0b", "a␀b"],
  "a delete": ["a\x7fb", "a␡b"],
  "form feed and vertical tab": ["a\fb\vc", "a␌b␋c"],
  "shift out": ["\x0eabc\x0f", "␎abc␏"],
  "other 8-bit controls": ["a\x84b\x85c\x9cd", "a\ufffdb\ufffdc\ufffdd"],
  "reversed letters": ["user\u202egpj.exe", "usergpj.exe"],
  "a trojan source line": ["/*\u202e } \u2066if (admin)\u2069 \u2066 begin */", "/* } if (admin)  begin */"],
  "direction marks among Latin letters": ["a\u200eb\u200fc\u061cd", "abcd"],
  "an override on a Hebrew line": ["שלום \u202eabc\u202c", "שלום abc"],
  "an embedding left open on a Hebrew line": ["\u202bשלום\nabc", "\u202bשלום\u202c\nabc"],
  "an isolate left open at the end": ["שלום \u2067abc", "שלום \u2067abc\u2069"],
  "a closing mark that closes nothing": ["שלום \u2069\u202cabc", "שלום abc"],
  "tag characters": ["hi\u{e0049}\u{e0067}\u{e006e}\u{e007f}", "hi"],
  annotations: ["a\ufff9b\ufffac\ufffbd", "abcd"],
  "a byte order mark": ["\ufeffa\ufeffb", "ab"],
  "line separators": ["a\u2028b\u2029c", "a\nb\nc"],
  "a pile of marks": [`Z${"\u0335".repeat(50)}o`, `Z${"\u0335".repeat(16)}o`],
  "a pile of marks around joiners": [
    `Z${"\u0335\u200d".repeat(50)}o`,
    `Z${"\u0335\u200d".repeat(16)}${"\u200d".repeat(34)}o`,
  ],
  "half a character": ["a\ud83dz\ude42", "a\ufffdz\ufffd"],
};

/** Text that must come through as it is. */
const CLEAN = [
  "plain\ttext\nwith lines\n",
  "# Überschrift\n\n- naïve café – “quotes” … €\n",
  "日本語テキスト、改行\n한국어 中文 ไทย हिन्दी தமிழ் Tiếng Việt",
  "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 1️⃣ ☺️ 🫠",
  "שלום עולם (abc) 123 \u200fא\u200e",
  "مرحبا \u2067abc\u2069 \u061c١٢٣",
  "می‌خواهم क्‍ष",
  "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
  "x̂ y̅ ñ Å",
  "│ box ─ ▓ ⣿  ",
  '{"a": "\\u001b[31m"} \\x1b \\033',
  "␛␍␀",
];

describe("SafeTextFilter", () => {
  it.each(Object.entries(PAYLOADS))("disarms %s", (_, [sent, shown]) => {
    expect(safeText(sent)).toBe(shown);
    expect(streamed([...sent].flatMap((char) => char.split("")))).toBe(shown);
    expect(safeText(`before ${sent}`)).toBe(`before ${shown}`);
  });

  it.each(CLEAN)("leaves %j as it is", (text) => {
    expect(safeText(text)).toBe(text);
    expect(streamed(text.split(""))).toBe(text);
  });

  it("lets nothing through that a terminal acts on, is idempotent and does not depend on the cuts", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const random = seededRandom(seed);
      const text = nastyText(random);
      const shown = safeText(text);
      expect(shown, JSON.stringify(text)).not.toMatch(FORBIDDEN);
      expect(safeText(shown), JSON.stringify(text)).toBe(shown);
      expect(streamed(cutAnywhere(text, random)), JSON.stringify(text)).toBe(shown);
    }
  });

  it("closes every direction control on its line", () => {
    for (let seed = 0; seed < 1000; seed++) {
      const random = seededRandom(seed);
      const parts = [
        "א",
        "a",
        "\n",
        "\u202a",
        "\u202b",
        "\u202d",
        "\u202e",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u202c",
        "\u2069",
      ];
      const shown = safeText(Array.from({ length: 40 }, () => random.pick(parts)).join(""));
      for (const line of shown.split("\n")) expect(openAtEnd(line)).toEqual([]);
    }
  });

  it("holds an unfinished sequence no longer than 4096 characters", () => {
    const filter = new SafeTextFilter();
    expect(filter.push("\x1b]0;" + "x".repeat(4000))).toBe("");
    expect(filter.push("y".repeat(200))).toBe("␛]0;" + "x".repeat(4000) + "y".repeat(200));
    expect(filter.push("\x07z") + filter.end()).toBe("␇z");
  });

  it("looks no further than 256 characters for right-to-left letters", () => {
    const filter = new SafeTextFilter();
    expect(filter.push("\u2067" + "x".repeat(255))).toBe("");
    expect(filter.push("xא")).toBe("x".repeat(256) + "א");
  });

  it("gives plain text back at once", () => {
    const filter = new SafeTextFilter();
    for (const piece of ["Hello", " world", ".\n", "日本", "語"]) expect(filter.push(piece)).toBe(piece);
    expect(filter.end()).toBe("");
  });

  it("needs linear time, for clean text and for hostile text", () => {
    const size = 400_000;
    const texts = [
      "clean ascii text\n",
      "日本語のテキスト",
      "\x1b]x",
      "\x9d",
      "\x1b[31",
      "\x1b",
      "\u2067a",
      "\u0301",
      "\r",
    ];
    for (const part of texts) {
      const text = part.repeat(size / part.length);
      const start = performance.now();
      expect(safeText(text)).not.toMatch(FORBIDDEN);
      expect(performance.now() - start, JSON.stringify(part)).toBeLessThan(3000);
    }
  });
});

/** The direction controls a line leaves open, by the rules of the bidirectional algorithm. */
function openAtEnd(line: string): string[] {
  const open: string[] = [];
  for (const char of line) {
    if (/[\u202a\u202b\u2066-\u2068]/.test(char)) open.push(char);
    const isolate = open.findLastIndex((opened) => opened >= "\u2066");
    if (char === "\u2069" && isolate >= 0) open.length = isolate;
    if (char === "\u202c" && open.length - 1 > isolate) open.pop();
  }
  return open;
}

describe("safeLine", () => {
  it.each([
    ["a\x1b[31mb", "a\\x1b[31mb"],
    ["two\nlines\r\tend", "two\\nlines\\r\\tend"],
    ["user\u202egpj.exe\u2066", "user\\u202egpj.exe\\u2066"],
    ["a\x85\u2028\ufeff\u{e0041}\ud800", "a\\x85\\u2028\\ufeff\\u{e0041}\\ud800"],
    ["שלום\u200f 日本 🙂", "שלום\\u200f 日本 🙂"],
    [`a${"\u0301".repeat(18)}`, `a${"\u0301".repeat(16)}\\u0301\\u0301`],
    ["C:\\temp", "C:\\temp"],
  ])("shows %j as an escape", (text, shown) => {
    expect(safeLine(text)).toBe(shown);
  });

  it("leaves out what is longer than asked, between characters", () => {
    expect(safeLine("x".repeat(201))).toBe("x".repeat(200) + "…");
    expect(safeLine("x".repeat(200))).toBe("x".repeat(200));
    expect(safeLine("ab🙂", { maxLength: 3 })).toBe("ab…");
  });

  it("keeps lines where asked", () => {
    expect(safeLine("a\n\tb\x1b", { keepLines: true, maxLength: Infinity })).toBe("a\n\tb\\x1b");
  });

  it("lets nothing through that a terminal acts on, and is idempotent", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const text = nastyText(seededRandom(seed));
      const shown = safeLine(text);
      expect(shown, JSON.stringify(text)).not.toMatch(/[\n\t\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/);
      expect(shown, JSON.stringify(text)).not.toMatch(FORBIDDEN);
      expect(safeLine(shown), JSON.stringify(text)).toBe(shown);
    }
  });
});

describe("safely", () => {
  it("puts safe values between words", () => {
    expect(safely`${safeLine("a\x07")} has ${3} parts`).toBe("a\\x07 has 3 parts");
  });
});
