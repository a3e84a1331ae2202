// What a terminal shows, as an SVG of text: rows with the escape codes of colours and styles (SGR) that tmux writes.
import stringWidth from "string-width";

const CELL = { width: 8.4, height: 18 };
const MARGIN = 12;
const FONT = "DejaVu Sans Mono, Menlo, Consolas, ui-monospace, monospace";
const BACKGROUND = "#1e1e2e";
const FOREGROUND = "#d9dce8";
/** The sixteen colours of a terminal. */
const COLOURS = [
  ...["#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#bac2de"],
  ...["#585b70", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#ffffff"],
];

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * @param {readonly string[]} rows with SGR codes, no others
 * @param {{ columns: number, rows: number }} size of the terminal
 */
export function terminalSvg(rows, size) {
  const width = Math.ceil(size.columns * CELL.width + 2 * MARGIN);
  const height = Math.ceil(size.rows * CELL.height + 2 * MARGIN);
  let style = {};
  const body = rows.flatMap((row, y) => {
    const runs = [];
    let x = 0;
    for (const part of row.split(/(\u001b\[[\d;:]*m)/)) {
      if (part.startsWith("\u001b")) style = applied(style, part.slice(2, -1).split(/[;:]/).map(Number));
      else if (part !== "") {
        // every word stands at its column, and so does every wide character, whatever the font makes of it
        for (const text of part.match(/ +|[\x21-\x7e]+|[^\x20-\x7e]+/g) ?? []) {
          const pieces = /^[\x20-\x7e]/.test(text)
            ? [text]
            : Array.from(graphemes.segment(text), ({ segment }) => segment);
          for (const piece of pieces) {
            const columns = stringWidth(piece);
            runs.push(drawn(piece, style, x, y, columns));
            x += columns;
          }
        }
      }
    }
    return runs.filter((run) => run !== "");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="${FONT}" font-size="14" fill="${FOREGROUND}">`,
    ...body,
    "</g>",
    "</svg>\n",
  ].join("\n");
}

function drawn(text, style, column, row, columns) {
  const isBlank = text.trim() === "";
  if (isBlank && !style.reverse && style.background === undefined) return "";
  const x = round(MARGIN + column * CELL.width);
  const y = MARGIN + row * CELL.height;
  const own = style.colour ?? FOREGROUND;
  const [fill, back] = style.reverse ? [style.background ?? BACKGROUND, own] : [own, style.background];
  const box =
    back === undefined
      ? ""
      : `<rect x="${x}" y="${y}" width="${round(columns * CELL.width)}" height="${CELL.height}" fill="${back}"/>`;
  if (isBlank) return box;
  const attributes = [
    fill === FOREGROUND ? "" : ` fill="${fill}"`,
    style.bold ? ' font-weight="bold"' : "",
    style.italic ? ' font-style="italic"' : "",
    style.dim ? ' opacity="0.6"' : "",
    style.underline ? ' text-decoration="underline"' : style.struck ? ' text-decoration="line-through"' : "",
    ` textLength="${round(columns * CELL.width)}"`,
  ];
  const content = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `${box}<text x="${x}" y="${y + 14}"${attributes.join("")}>${content}</text>`;
}

/** Select Graphic Rendition: what the codes change. */
function applied(style, codes) {
  let next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.reverse = true;
    else if (code === 9) next.struck = true;
    else if (code === 22) Object.assign(next, { bold: false, dim: false });
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 27) next.reverse = false;
    else if (code === 29) next.struck = false;
    else if (code >= 30 && code <= 37) next.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) next.colour = COLOURS[code - 82];
    else if (code === 39) next.colour = undefined;
    else if (code >= 40 && code <= 47) next.background = COLOURS[code - 40];
    else if (code === 49) next.background = undefined;
    else if (code === 38 || code === 48) {
      const name = code === 38 ? "colour" : "background";
      if (codes[i + 1] === 5) next[name] = indexed(codes[(i += 2)]);
      else if (codes[i + 1] === 2) {
        next[name] = `rgb(${codes.slice(i + 2, i + 5).join(",")})`;
        i += 4;
      }
    }
  }
  return next;
}

/** A colour of the 256. */
function indexed(number) {
  if (number < 16) return COLOURS[number];
  if (number >= 232) return `rgb(${Array(3).fill(8 + (number - 232) * 10)})`;
  const level = (value) => (value === 0 ? 0 : 55 + 40 * value);
  const n = number - 16;
  return `rgb(${[Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map(level)})`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
