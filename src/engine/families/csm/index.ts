import type { Family } from "../family.js";
import { readCsmConfig } from "./config.js";
import { csmMetadata } from "./metadata.js";
import { originalLayout } from "./original-layout.js";
import { samplingMetadata } from "./sampling.js";
import { csmSpeech } from "./speech.js";
import { csmTensors } from "./tensors.js";
import { csmTypes } from "./types.js";

/** CSM: a backbone that makes frames, a depth decoder that fills them with codes, and Mimi, which makes them audible. */
export const csm: Family = {
  name: "csm",
  title: "Conversational Speech Model",
  architectures: ["CsmForConditionalGeneration"],
  ggufArchitecture: "csm",
  autoType: "q8_0",
  hasDepthDecoder: true,
  speech: csmSpeech,
  foreignLayout: originalLayout,
  describe(texts, architecture) {
    const config = readCsmConfig(texts);
    return {
      architecture,
      config: config.entries,
      notes: config.notes,
      layers: config.backbone.layers,
      tensors: csmTensors(config),
      metadata: new Map([...csmMetadata(config), ...samplingMetadata(texts)]),
      tokenizer: {
        vocabSize: config.textVocabSize,
        bosTokenId: within(config.bosTokenId, config.textVocabSize),
        padTokenId: within(config.padTokenId, config.textVocabSize),
        // A turn's text is between the tokenizer's tokens; speech ends with a frame of codes.
        eosTokenIds: [],
        prefersTokenizer: true,
      },
    };
  },
  chooseTypes: csmTypes,
  parts: [
    { name: "backbone", role: "reads text and audio, makes a state per frame", metadata: "csm." },
    {
      name: "depth decoder",
      role: "fills a frame with codes",
      metadata: "csm.depth.",
      tensors: ["depth.", "depth_decoder."],
    },
    {
      name: "Mimi",
      role: "codec, codes to audio and back",
      metadata: "csm.mimi.",
      tensors: ["mimi.", "codec_model."],
    },
  ],
};

/** Ids of the classes' defaults stay in the files of models with a smaller vocabulary. */
function within(id: number | undefined, vocabSize: number): number | undefined {
  return id !== undefined && id < vocabSize ? id : undefined;
}
