import { readConfigObject } from "../common-config.js";
import { ConfigReader } from "../config-reader.js";
import type { CheckpointTexts, ConfigEntry } from "../family.js";
import { inertKeys } from "../inert-keys.js";
import { readMimi, type MimiConfig } from "./mimi-config.js";
import { readTransformer, type TransformerShape } from "./transformer-config.js";

export interface CsmConfig {
  readonly backbone: TransformerShape;
  readonly depth: TransformerShape;
  readonly mimi: MimiConfig;
  /** Text ids. */
  readonly textVocabSize: number;
  /** Audio ids per codebook, the reserved ones above the codec's entries counted. */
  readonly audioVocabSize: number;
  readonly codebooks: number;
  /** Text id that stands for a frame of audio in a prompt. */
  readonly audioTokenId: number;
  /** Text id that ends audio in a prompt; embedded as a frame of `codebookEos`. */
  readonly audioEosTokenId: number;
  readonly bosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** A frame of this code ends the speech. */
  readonly codebookEos: number;
  readonly codebookPad: number;
  readonly entries: readonly ConfigEntry[];
  readonly notes: readonly string[];
}

const BACKBONE = {
  hiddenSize: 2048,
  intermediateSize: 8192,
  layers: 16,
  heads: 32,
  keyValueHeads: 8,
  contextLength: 2048,
};
const DEPTH = {
  hiddenSize: 1024,
  intermediateSize: 8192,
  layers: 4,
  heads: 8,
  keyValueHeads: 2,
  contextLength: 33,
};

/**
 * Reads the config.json of a CsmForConditionalGeneration checkpoint in the layout of transformers 4 or 5.
 * @throws UserError CONFIG_JSON, CONFIG_VALUE, LIMIT_LAYERS (exit 65)
 */
export function readCsmConfig(texts: CheckpointTexts): CsmConfig {
  const { file, object } = readConfigObject(texts);
  const config = new ConfigReader(object, file);
  const codebooks = config.integer("num_codebooks", {
    meaning: "codes per frame",
    fallback: 32,
    least: 2,
    most: 256,
  });
  const audioVocabSize = readAudioVocabSize(config);
  const textVocabSize = config.integer("text_vocab_size", { meaning: "text ids", fallback: 128256 });
  const backbone = readTransformer(config, BACKBONE);
  const ids = readIds(config, textVocabSize, audioVocabSize);
  const depth = readDepth(config, { codebooks, audioVocabSize, hiddenSize: backbone.hiddenSize });
  const mimi = readCodec(config, { codebooks, audioVocabSize });
  const tied = config.boolean("tie_codebooks_embeddings", {
    meaning: "the depth decoder looks codes up in the backbone's table",
    fallback: true,
  });
  config.recordRest(INERT);
  config.finish();
  const notes = tied
    ? []
    : [
        '"tie_codebooks_embeddings" is false: the depth decoder uses the table of its own that the weights hold.',
      ];
  return {
    backbone,
    depth,
    mimi,
    textVocabSize,
    audioVocabSize,
    codebooks,
    ...ids,
    entries: config.entries(),
    notes,
  };
}

const NO_ID = { meaning: "not read by CsmForConditionalGeneration", fallback: null };
const INERT = inertKeys("csm", {
  tie_word_embeddings: { meaning: "not read by CsmForConditionalGeneration", fallback: false },
  transformers_weights: { meaning: "which weight files transformers loads" },
  eos_token_id: NO_ID,
});
const DEPTH_INERT = inertKeys("csm_depth_decoder_model", {
  bos_token_id: NO_ID,
  eos_token_id: NO_ID,
  pad_token_id: NO_ID,
});
const MIMI_INERT = inertKeys("mimi", {
  use_cache: { meaning: "transformers keeps keys and values of earlier audio", fallback: false },
  use_streaming: { meaning: "transformers works piece by piece; parley always does", fallback: false },
  layer_scale_initial_scale: { meaning: "scale of the layers before training", fallback: 0.01 },
  tie_word_embeddings: { meaning: "not read by MimiModel", fallback: true },
});

/** "codebook_size" is the name of the same value in the classes' attribute_map. */
function readAudioVocabSize(config: ConfigReader): number {
  const key = !config.has("vocab_size") && config.has("codebook_size") ? "codebook_size" : "vocab_size";
  return config.integer(key, { meaning: "audio ids per codebook", fallback: 2051 });
}

function readIds(config: ConfigReader, textVocab: number, audioVocab: number) {
  const text = (key: string, meaning: string, fallback: number): number =>
    config.integer(key, { meaning, fallback, least: 0, most: textVocab - 1 });
  const optional = (key: string, meaning: string, fallback: number): number | undefined => {
    const id = config.optionalInteger(key, { meaning, least: 0, fallback });
    // A default belongs to the full vocabulary.
    return id !== undefined && (config.has(key) || id < textVocab) ? id : undefined;
  };
  return {
    audioTokenId: text("audio_token_id", "text id that stands for a frame of audio", 128002),
    audioEosTokenId: text("audio_eos_token_id", "text id that ends audio", 128003),
    bosTokenId: optional("bos_token_id", "id that starts a turn", 128000),
    padTokenId: optional("pad_token_id", "id that fills up batches", 128002),
    codebookEos: config.integer("codebook_eos_token_id", {
      meaning: "a frame of this code ends the speech",
      fallback: 0,
      least: 0,
      most: audioVocab - 1,
    }),
    codebookPad: config.integer("codebook_pad_token_id", {
      meaning: "code that fills up batches, which parley never does",
      fallback: 2050,
      least: 0,
    }),
  };
}

interface Shared {
  readonly codebooks: number;
  readonly audioVocabSize: number;
}

function readDepth(config: ConfigReader, shared: Shared & { hiddenSize: number }): TransformerShape {
  const part = config.part("depth_decoder_config");
  const agree = (key: string, meaning: string, fallback: number, expected: number): void => {
    const value = part.integer(key, { meaning, fallback });
    if (value !== expected) part.clash(key, `${expected}, as the backbone has it`, value);
  };
  agree("num_codebooks", "codes per frame", 32, shared.codebooks);
  const audioVocabSize = readAudioVocabSize(part);
  if (audioVocabSize !== shared.audioVocabSize) {
    part.clash("vocab_size", `${shared.audioVocabSize}, as the backbone has it`, audioVocabSize);
  }
  agree("backbone_hidden_size", "width of what it is fed", 2048, shared.hiddenSize);
  const depth = readTransformer(part, DEPTH);
  part.recordRest(DEPTH_INERT);
  config.adopt(part);
  return depth;
}

function readCodec(config: ConfigReader, shared: Shared): MimiConfig {
  const part = config.part("codec_config");
  const mimi = readMimi(part);
  if (mimi.quantizers !== shared.codebooks) {
    part.clash("num_quantizers", `${shared.codebooks}, the number of codebooks`, mimi.quantizers);
  }
  if (mimi.codebookSize > shared.audioVocabSize) {
    part.clash("codebook_size", `at most vocab_size ${shared.audioVocabSize}`, mimi.codebookSize);
  }
  part.recordRest(MIMI_INERT);
  config.adopt(part);
  return mimi;
}
