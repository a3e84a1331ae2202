/** A key that changes nothing when a model only answers. */
export interface InertKey {
  readonly meaning: string;
  /** What the class holds when the file says nothing. Absent: the class has no such key then. */
  readonly fallback?: unknown;
}

const TRAINING = "used in training only";

/** Keys of every transformers configuration (PreTrainedConfig of transformers 5.18). */
const COMMON_INERT_KEYS: Readonly<Record<string, InertKey>> = {
  architectures: { meaning: "transformers class of the checkpoint", fallback: null },
  transformers_version: { meaning: "version of transformers that wrote the file" },
  dtype: { meaning: "element type of the weights", fallback: null },
  id2label: { meaning: "names of the classes", fallback: { 0: "LABEL_0", 1: "LABEL_1" } },
  label2id: { meaning: "id2label the other way round", fallback: { LABEL_0: 0, LABEL_1: 1 } },
  num_labels: { meaning: "number of classes" },
  classifier_dropout: { meaning: TRAINING },
  initializer_range: { meaning: "spread of random weights before training", fallback: 0.02 },
  attention_dropout: { meaning: TRAINING, fallback: 0 },
  problem_type: { meaning: "loss of a classifier, used in training only", fallback: null },
  use_cache: { meaning: "transformers keeps keys and values; parley always does", fallback: true },
  output_hidden_states: { meaning: "transformers returns hidden states unasked", fallback: false },
  output_attentions: { meaning: "transformers returns attention weights unasked", fallback: false },
  return_dict: { meaning: "form of what transformers returns", fallback: true },
  chunk_size_feed_forward: {
    meaning: "transformers splits the feed-forward work; 0: it does not",
    fallback: 0,
  },
  is_encoder_decoder: { meaning: "encoder and decoder, or a decoder alone", fallback: false },
  _name_or_path: { meaning: "where the checkpoint was loaded from when it was saved", fallback: "" },
  auto_map: { meaning: "Python code of the checkpoint; parley never runs it" },
};

/** The keys above for a class of its own name, with what it has beside them. */
export function inertKeys(
  modelType: string,
  own: Readonly<Record<string, InertKey>> = {},
): Readonly<Record<string, InertKey>> {
  const name = { meaning: "transformers name of the family", fallback: modelType };
  return { ...COMMON_INERT_KEYS, model_type: name, ...own };
}
