import { safeLine } from "./safe-text.js";

/** What `inspect forward --json` prints. */
export interface ForwardReport {
  tokens: number[];
  /** the likeliest next tokens, best first; those of a speech model stand for no text */
  next: { id: number; logit: number; probability: number; piece?: string }[];
  files: { path: string; shape: number[] }[];
}

export function forwardText({ tokens, next, files }: ForwardReport): string {
  const lines = next.map(({ id, logit, probability, piece }) => {
    const text = piece === undefined ? "" : `  ${JSON.stringify(safeLine(piece))}`;
    const share = (probability * 100).toFixed(2).padStart(6);
    return `${String(id).padStart(7)}  ${share} %  logit ${logit.toFixed(4).padStart(9)}${text}`;
  });
  const title = next.length === 0 ? [] : [`likeliest after ${tokens.length} tokens:`];
  return [...title, ...lines, ...files.map(({ path, shape }) => `${path}  [${shape.join(", ")}]`)].join("\n");
}
