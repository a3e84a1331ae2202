/** What a classification head says about itself. */
export interface Classifier {
  /** One answer for a text, or one for each of its tokens. */
  kind: "sequence" | "token";
  /** Names of the classes, by class number. */
  labels: readonly string[];
  /** `problem_type` of the configuration, when it has one. */
  problemType: string | undefined;
  /** The id that transformers skips when it looks for the last token of a text. */
  padToken: number | undefined;
}

/** One class of an answer. */
export interface Scored {
  label: string;
  score: number;
}

/** Which token a text is judged by: the last that is not padding. The first when all are, as in transformers. */
export function pooledPosition(tokens: readonly number[], padToken: number | undefined): number {
  return Math.max(
    0,
    tokens.findLastIndex((id) => id !== padToken),
  );
}

/**
 * Scores of the classes as transformers' pipelines make them: softmax; for one class or several at once the sigmoid
 * of each; for a regression the logit itself. A token always gets a softmax.
 */
export function classScores({ kind, problemType }: Classifier, logits: Float32Array): number[] {
  const values = Array.from(logits);
  if (kind === "sequence" && problemType === "regression") return values;
  const several = problemType === "multi_label_classification" || values.length === 1;
  return kind === "sequence" && several ? values.map(sigmoid) : softmax(values);
}

/** The classes with the highest logits first; equal ones in the order of their numbers. */
export function rankClasses(classifier: Classifier, logits: Float32Array, count: number): Scored[] {
  const scores = classScores(classifier, logits);
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, count)
    .map((number) => ({ label: classifier.labels[number] ?? `LABEL_${number}`, score: scores[number]! }));
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

function softmax(logits: readonly number[]): number[] {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = logits.map((logit) => Math.exp(logit - max));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
