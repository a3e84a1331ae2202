import { formatBytes } from "../../../engine/system/format-bytes.js";
import { safeLine } from "../../safe-text.js";
import { columnsOf, graphemesOf } from "../input/graphemes.js";
import type { StatusInfo } from "./status-info.js";

const OVERFLOW = {
  error: "then an error",
  trim: "then old turns go",
  shift: "then old tokens go",
} as const;

/** One row; what does not fit is left out from the end, the model's name shortened last. */
export function statusLine(status: StatusInfo, columns: number): string {
  const { contextUsed, contextSize, overflow, tokensPerSecond, firstTokenMs, memoryBytes } = status;
  const model = safeLine(status.model, { maxLength: 40 });
  const used = contextUsed ?? 0;
  const share = contextSize > 0 ? used / contextSize : 0;
  const isNear = share >= 0.7;
  const parts = [
    model,
    `${gauge(share)} ${used}/${contextSize}${isNear ? `, ${OVERFLOW[overflow]}` : ""}`,
    tokensPerSecond === undefined ? "" : `${tokensPerSecond.toFixed(1)} tok/s`,
    firstTokenMs === undefined ? "" : `first ${formatMs(firstTokenMs)}`,
    memoryBytes === undefined ? "" : formatBytes(memoryBytes),
    isNear ? "" : OVERFLOW[overflow].replace("then", "when full:"),
  ].filter((part) => part !== "");
  for (let count = parts.length; count > 0; count--) {
    const line = parts.slice(0, count).join("  ");
    if (columnsOf(line) <= columns) return line;
  }
  return shortened(model, columns);
}

function gauge(share: number): string {
  const filled = Math.min(8, Math.round(share * 8));
  return `[${"#".repeat(filled)}${"-".repeat(8 - filled)}]`;
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function shortened(text: string, columns: number): string {
  let short = "";
  let width = 0;
  for (const grapheme of graphemesOf(text)) {
    width += columnsOf(grapheme);
    if (width > columns) break;
    short += grapheme;
  }
  return short;
}
