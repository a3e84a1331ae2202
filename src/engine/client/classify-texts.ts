import { pooledPosition, type Classifier } from "../classify/classifier.js";
import { UserError } from "../errors.js";
import type { EvaluationParams } from "../host/protocol.js";
import { checkTokens } from "./check-tokens.js";
import type { TextSession } from "./text-session.js";

/** A text, or its token ids. */
export type ClassifyInput = { text: string } | { tokens: number[] };

/** What the head said of one text. */
export interface Classified {
  input: ClassifyInput;
  /** All tokens, those that the tokenizer puts before a text included. */
  tokens: number[];
  /** One row of logits for the text, or one for each token. */
  rows: Float32Array[];
}

/**
 * Runs a classification head over texts. A sequence head is read at the last token that is not padding; what follows
 * that token cannot change it, so it is not evaluated.
 * @throws UserError TOKEN_RANGE, EMPTY_PROMPT, CONTEXT_OVERFLOW (exit 2)
 * @throws AbortError
 */
export async function classifyTexts(
  session: TextSession,
  classifier: Classifier,
  inputs: readonly ClassifyInput[],
  options: EvaluationParams,
  {
    signal,
    onProgress,
  }: { signal: AbortSignal; onProgress?: (state: { done: number; total: number }) => void },
): Promise<Classified[]> {
  const tokens = await Promise.all(inputs.map((input) => tokensOf(session, input)));
  for (const ids of tokens) checkTokens(ids, session.facts);
  const classes = classifier.labels.length;
  const run = session.classify(
    {
      ...options,
      classes,
      rows: classifier.kind === "token" ? "all" : "last",
      texts:
        classifier.kind === "token"
          ? tokens
          : tokens.map((ids) => ids.slice(0, pooledPosition(ids, classifier.padToken) + 1)),
    },
    signal,
  );
  let step = await run.next();
  for (; step.done !== true; step = await run.next()) onProgress?.(step.value);
  return step.value.map((logits, i) => ({
    input: inputs[i]!,
    tokens: tokens[i]!,
    rows: Array.from({ length: logits.length / classes }, (_, row) =>
      logits.subarray(row * classes, (row + 1) * classes),
    ),
  }));
}

async function tokensOf(session: TextSession, input: ClassifyInput): Promise<number[]> {
  if ("tokens" in input) return input.tokens;
  return [...session.facts.prefixTokens, ...(await session.tokenize(input.text, { special: false }))];
}

/** @throws UserError CLASSIFIER_LABELS (exit 65) when the file names no classes */
export function checkLabels(classifier: Classifier, path: string): void {
  if (classifier.labels.length > 0) return;
  throw new UserError(
    "badFile",
    "CLASSIFIER_LABELS",
    `${path} names no classes.`,
    "Convert the checkpoint again with parley convert.",
  );
}
