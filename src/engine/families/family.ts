import type { ChatBehaviour } from "./chat-behaviour.js";
import type { GgufValue } from "../formats/gguf.js";
import type { OutputType } from "../tensors/output-type.js";
import type { MixtureTensor } from "../tensors/mixture.js";
import type { TensorRules } from "../tensors/rules.js";
import type { JsonObject } from "../formats/strict-json.js";
import type { SpeechBehaviour } from "./speech-behaviour.js";
import type { SpecialIds } from "./special-ids.js";

/** The small text files of a checkpoint, wherever they come from: a folder, the Hub, or a GGUF file's metadata. */
export interface CheckpointTexts {
  /** How errors name the checkpoint: its folder, or its Hub id. */
  readonly label: string;
  /** Content of a file such as "config.json"; undefined when the checkpoint has no such file. */
  text(fileName: string): string | undefined;
}

/** One value of a model's configuration, for the reader of `inspect config` and for error messages. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: unknown;
  /** Read from config.json, the default of the transformers class, or computed from other values. */
  readonly origin: "file" | "default" | "derived";
  readonly meaning: string;
}

/** What a family needs of the vocabulary, and which special ids the configuration names. */
export interface TokenizerNeeds extends SpecialIds {
  /** Rows of the embedding; ids beyond the tokenizer's own are filled with unused tokens. */
  readonly vocabSize: number;
  /** Token text that ends a turn (llama.cpp's "eot"), where the family has one. */
  readonly eotToken?: string;
  /** The tokenizer's own begin and end tokens come before those of the configuration. */
  readonly prefersTokenizer?: true;
  /** Token text that ends a message before a tool call (llama.cpp's "eom"), where the family has one. */
  readonly eomToken?: string;
}

/** A checkpoint understood: everything the converter and the inspector need besides the weights. Pure data. */
export interface ModelDescription {
  /** Which of the family's `architectures` this checkpoint is. */
  readonly architecture: string;
  readonly config: readonly ConfigEntry[];
  /** Things worth telling the user that are no errors, one sentence each. */
  readonly notes: readonly string[];
  /** Decoder layers; the mixtures of quantised output count in them. */
  readonly layers: number;
  readonly tensors: TensorRules;
  /** GGUF metadata under the family's own prefix, for example "cwm.block_count". */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tokenizer: TokenizerNeeds;
}

/** What `--type` and `--depth-type` ask for. */
export interface WantedTypes {
  readonly type: OutputType;
  /** Of a depth decoder; absent: as `type`. */
  readonly depthType?: OutputType;
}

/** Another layout of the same weights, recognised to say what to fetch instead. */
export interface ForeignLayout {
  /** As in "this is the original layout of Sesame's code". */
  readonly title: string;
  isConfig(config: JsonObject): boolean;
  isTensor(name: string): boolean;
  readonly hint: string;
}

/** A model inside a model: CSM holds three. */
export interface ModelPart {
  readonly name: string;
  /** What it does, for people, in a few words. */
  readonly role: string;
  /** Where its sizes stand in the GGUF metadata: "csm.depth." */
  readonly metadata: string;
  /** How the names of its tensors begin, in a GGUF file and in a checkpoint. Absent: all that no other part has. */
  readonly tensors?: readonly string[];
}

/** All knowledge of one model family. The list in index.ts is the only registry. */
export interface Family {
  /** Short name, also the folder's: "cwm". */
  readonly name: string;
  /** Name for people: "Code World Model". */
  readonly title: string;
  /** Entries of `architectures` in config.json that this family reads. */
  readonly architectures: readonly string[];
  /** `general.architecture` of its GGUF files. */
  readonly ggufArchitecture: string;
  /** Quantisation that `--type auto` picks for weights of 2 GB and more. */
  readonly autoType: "q4_k_m" | "q8_0";
  /**
   * Reads and checks the configuration.
   * @param architecture one of `architectures`
   * @throws UserError CONFIG_JSON, CONFIG_VALUE, LIMIT_LAYERS (exit 65), naming file, key and value
   */
  describe(texts: CheckpointTexts, architecture: string): ModelDescription;
  /**
   * ggml types of the output tensors for one output type, in the order of the tensors.
   * Absent: the mixtures of llama-quantize (tensors/mixture.ts).
   */
  readonly chooseTypes?: (types: WantedTypes, tensors: readonly MixtureTensor[]) => string[];
  /** Present when the authors publish the weights in a layout that parley does not read, too. */
  readonly foreignLayout?: ForeignLayout;
  /** Does it have a depth decoder, whose type can be chosen apart? */
  readonly hasDepthDecoder?: true;
  /** Present when the family is made of several models, in the order of the computation. */
  readonly parts?: readonly ModelPart[];
  /** Present when the family speaks. */
  readonly speech?: SpeechBehaviour;
  /** Present when the family chats. */
  readonly chat?: ChatBehaviour;
}
