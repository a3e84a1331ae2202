import { chatTemplateMetadata } from "../convert/tokenizer/chat-template.js";
import { readTokenizerConfig, specialTokenText } from "../convert/tokenizer/tokenizer-config.js";
import { readGenerationConfig } from "../convert/generation-config.js";
import type { KnownModel } from "./understand.js";

/** What a model says about text and about itself. */
export interface TextFacts {
  readonly tokenizer: {
    /** Kind by its own name: "gpt2" and the like in a GGUF file, the class in a checkpoint. */
    readonly kind: string | null;
    /** How text is split before the merges, where a GGUF file says it. */
    readonly split: string | null;
    readonly bos: { readonly id: number | null; readonly text: string | null };
    /** Every id that ends an answer. */
    readonly end_ids: readonly number[];
    readonly pad_id: number | null;
  };
  readonly template: {
    readonly bytes: number;
    readonly lines: number;
    /** Can it switch reasoning on and off? */
    readonly thinks: boolean;
    readonly tools: boolean;
  } | null;
  readonly licence: {
    readonly id: string | null;
    readonly name: string | null;
    readonly link: string | null;
  };
  /** Sampling that the model asks for, by the names of chat's flags. */
  readonly generation: Readonly<Record<string, number>>;
  /** Classes of a classifier. */
  readonly labels: readonly string[];
}

const GENERATION = {
  temp: "general.sampling.temp",
  "top-k": "general.sampling.top_k",
  "top-p": "general.sampling.top_p",
  "min-p": "general.sampling.min_p",
  "repeat-penalty": "general.sampling.penalty_repeat",
} as const;

export function readTexts(model: KnownModel): TextFacts {
  const { values, family } = model;
  return {
    tokenizer: model.gguf ? tokenizerOfGguf(model) : tokenizerOfCheckpoint(model),
    template: describeTemplate(model),
    licence: {
      id: values.string("general.license") ?? null,
      name: values.string("general.license.name") ?? null,
      link: values.string("general.license.link") ?? null,
    },
    generation: Object.fromEntries(
      Object.entries(GENERATION).flatMap(([flag, key]) => {
        const value = values.number(key);
        // float32 in the file: 0.95 is what was meant by 0.949999988.
        return value === undefined ? [] : [[flag, Number(value.toPrecision(7))]];
      }),
    ),
    labels: [...values.strings(`${family.ggufArchitecture}.classifier.output_labels`)],
  };
}

function tokenizerOfGguf({ values }: KnownModel): TextFacts["tokenizer"] {
  const tokens = values.strings("tokenizer.ggml.tokens");
  const bos = values.number("tokenizer.ggml.bos_token_id");
  const own = values.numbers("parley.tokenizer.eos_token_ids");
  const ends = ["eos", "eot", "eom"].flatMap(
    (kind) => values.number(`tokenizer.ggml.${kind}_token_id`) ?? [],
  );
  return {
    kind: values.string("tokenizer.ggml.model") ?? null,
    split: values.string("tokenizer.ggml.pre") ?? null,
    bos: { id: bos ?? null, text: bos === undefined ? null : (tokens[bos] ?? null) },
    end_ids: own.length > 0 ? own : [...new Set(ends)],
    pad_id: values.number("tokenizer.ggml.padding_token_id") ?? null,
  };
}

function tokenizerOfCheckpoint({ texts, description }: KnownModel): TextFacts["tokenizer"] {
  const config = readTokenizerConfig(texts);
  const kind = config.at("tokenizer_class");
  const generation = readGenerationConfig(texts);
  const needs = description?.tokenizer;
  return {
    kind: typeof kind.value === "string" ? kind.value : null,
    split: null,
    bos: { id: needs?.bosTokenId ?? null, text: specialTokenText(config, "bos_token") ?? null },
    end_ids: generation.eosTokenIds.length > 0 ? generation.eosTokenIds : (needs?.eosTokenIds ?? []),
    pad_id: needs?.padTokenId ?? null,
  };
}

function describeTemplate({ gguf, texts, values, family }: KnownModel): TextFacts["template"] {
  const found = gguf
    ? values.string("tokenizer.chat_template")
    : chatTemplateMetadata(texts, readTokenizerConfig(texts)).get("tokenizer.chat_template")?.value;
  if (typeof found !== "string") return null;
  const thinkingSwitch = family.chat?.thinking?.thinkingSwitch;
  return {
    bytes: Buffer.byteLength(found),
    lines: found.split("\n").length,
    thinks: thinkingSwitch !== undefined && found.includes(thinkingSwitch),
    tools: /\btools\b/.test(found),
  };
}
