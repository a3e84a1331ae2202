import type { ForwardResult } from "./protocol.js";

/** The likeliest next tokens, by logit, with their softmax probabilities. */
export function likeliest(logits: Float32Array, count: number): ForwardResult["top"] {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
  return Array.from(logits, (logit, id) => ({ id, logit, probability: Math.exp(logit - max) / sum }))
    .sort((a, b) => b.logit - a.logit || a.id - b.id)
    .slice(0, count);
}
