import type { ModelFacts } from "../engine/client/model-facts.js";
import type { Classifier } from "../engine/classify/classifier.js";
import { UserError } from "../engine/errors.js";

/** @throws UserError NO_CLASSIFIER (exit 65) for a model without a classification head */
export function requireClassifier(facts: ModelFacts): Classifier {
  if (facts.classifier !== undefined) return facts.classifier;
  throw new UserError(
    "badFile",
    "NO_CLASSIFIER",
    `${facts.path} has no classification head (it is a ${facts.architecture ?? facts.family.title} model).`,
    "parley classify runs GlmForSequenceClassification and GlmForTokenClassification checkpoints.",
  );
}

/** @throws UserError CLASSIFIER_ONLY, SPEECH_ONLY (exit 65) for a model that writes no text */
export function requireTextModel(facts: ModelFacts): void {
  if (facts.speech) {
    throw new UserError(
      "badFile",
      "SPEECH_ONLY",
      `${facts.path} is a speech model (${facts.family.title}): it writes no text.`,
      'Let it speak with parley speak -m MODEL "text".',
    );
  }
  if (facts.classifier === undefined) return;
  throw new UserError(
    "badFile",
    "CLASSIFIER_ONLY",
    `${facts.path} is a classifier (${facts.architecture ?? "GLM"}): it gives labels and writes no text.`,
    'Ask it with parley classify MODEL "text".',
  );
}
