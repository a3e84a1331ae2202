import { badFile, quoted } from "./bad-file.js";
import type { GgufFile, GgufValue } from "./gguf.js";

const HINT = "Convert the model again from its original tokenizer, or look for another file of it.";
const PREFIX = "tokenizer.ggml.";

/** Token types of llama.h that matter here. */
const TOKEN_TYPE_BYTE = 6;

/** BOS and EOS that llama.cpp assumes for "gpt2" vocabularies; a smaller vocabulary leaves it without. */
const DEFAULT_SPECIAL_TOKEN = 11;

/**
 * Refuses vocabularies that make llama.cpp abort: token texts that are not distinct as C strings, arrays of
 * different lengths, special tokens that do not exist.
 * @throws UserError GGUF_VOCAB (exit 65)
 */
export function refuseUnusableVocabulary(file: GgufFile): void {
  const { metadata } = file;
  const refuse = (key: string, fault: string) =>
    badFile("GGUF_VOCAB", file.path, `${quoted(PREFIX + key)} ${fault}.`, HINT);
  const at = (key: string) => metadata.get(PREFIX + key);

  const model = at("model");
  if (model === undefined && at("tokens") === undefined) return;
  if (model?.type !== "string") throw refuse("model", "is missing or no string");
  // node-llama-cpp asks for tokens while it loads, and llama.cpp aborts when there are none.
  if (model.value === "none" || model.value === "no_vocab")
    throw refuse("model", `is ${quoted(model.value)}: the file holds no vocabulary`);
  const tokens = at("tokens");
  if (tokens?.type !== "array" || tokens.of !== "string")
    throw refuse("tokens", `is ${found(tokens)}, expected strings`);
  refuseTwins(tokens.value, refuse);

  const types = at("token_type");
  if (types !== undefined) {
    if (types.type !== "array" || types.of !== "int32")
      throw refuse("token_type", `is ${found(types)}, expected int32`);
    refuseLength("token_type", types.value, tokens.value, refuse);
    refuseByteTokens({ model: model.value, tokens: tokens.value, types: types.value }, refuse);
  }
  if (model.value === "llama") refuseMissingBytes(tokens.value, refuse);
  const scores = at("scores");
  if (scores !== undefined) {
    if (scores.type !== "array" || (scores.of !== "float32" && scores.of !== "int32")) {
      throw refuse("scores", `is ${found(scores)}, expected float32`);
    }
    refuseLength("scores", scores.value, tokens.value, refuse);
  }
  const merges = at("merges");
  if (merges !== undefined && (merges.type !== "array" || merges.of !== "string")) {
    throw refuse("merges", `is ${found(merges)}, expected strings`);
  }
  refuseSpecialTokens(metadata, tokens.value.length, refuse);
  refuseCharacterMap(at("precompiled_charsmap"), refuse);
}

type Refuse = (key: string, fault: string) => Error;

/** llama.cpp asserts that all texts differ, having cut them at NUL and having named empty ones "[EMPTY_n]". */
function refuseTwins(tokens: readonly string[], refuse: Refuse): void {
  const texts = new Set<string>();
  tokens.forEach((token, id) => {
    if (token.includes("\0")) throw refuse("tokens", `has a NUL in token ${id}`);
    const text = token === "" ? `[EMPTY_${id}]` : token;
    texts.add(text);
    if (texts.size <= id)
      throw refuse("tokens", `has the text ${quoted(text)} a second time, as token ${id}`);
  });
}

function refuseLength(
  key: string,
  values: readonly unknown[],
  tokens: readonly string[],
  refuse: Refuse,
): void {
  if (values.length === tokens.length) return;
  throw refuse(key, `has ${values.length} elements for ${tokens.length} tokens`);
}

/** A SentencePiece tokenizer falls back to bytes; looking up one that has no token throws through C code. */
function refuseMissingBytes(tokens: readonly string[], refuse: Refuse): void {
  const texts = new Set(tokens);
  for (let byte = 0; byte < 256; byte++) {
    const text = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    const isCharacter = byte > 0 && byte < 128 && texts.has(String.fromCharCode(byte));
    if (!texts.has(text) && !isCharacter) throw refuse("tokens", `has no token for the byte ${text}`);
  }
}

/** SentencePiece byte tokens are read as hexadecimal numbers without a check. */
function refuseByteTokens(
  vocabulary: {
    readonly model: string;
    readonly tokens: readonly string[];
    readonly types: readonly number[];
  },
  refuse: Refuse,
): void {
  if (vocabulary.model === "gpt2") return;
  for (const [id, type] of vocabulary.types.entries()) {
    const text = vocabulary.tokens[id] ?? "";
    if (type === TOKEN_TYPE_BYTE && !/^<0x[0-9A-Fa-f]{2}>$/.test(text)) {
      throw refuse("tokens", `has ${quoted(text)} as byte token ${id}, expected <0x00> to <0xFF>`);
    }
  }
}

function refuseSpecialTokens(
  metadata: ReadonlyMap<string, GgufValue>,
  vocabulary: number,
  refuse: Refuse,
): void {
  for (const name of ["bos", "eos"]) {
    const id = metadata.get(`${PREFIX}${name}_token_id`);
    if (id !== undefined && id.type !== "uint32")
      throw refuse(`${name}_token_id`, `is ${found(id)}, expected a uint32`);
    if (id !== undefined && id.value >= vocabulary) {
      throw refuse(`${name}_token_id`, `is ${id.value}; the vocabulary has ${vocabulary} tokens`);
    }
    const isAdded = metadata.get(`${PREFIX}add_${name}_token`);
    if (isAdded !== undefined && isAdded.type !== "bool") throw refuse(`add_${name}_token`, "is no bool");
    const mayBeAdded = isAdded === undefined ? vocabulary <= DEFAULT_SPECIAL_TOKEN : isAdded.value;
    if (id === undefined && mayBeAdded) {
      throw refuse(`${name}_token_id`, "is missing, and the token may be added to every prompt");
    }
  }
}

/** Bytes of a trie: its size in bytes as 32 bits, then its nodes of 32 bits (llm_tokenizer_ugm). */
function refuseCharacterMap(map: GgufValue | undefined, refuse: Refuse): void {
  if (map === undefined) return;
  const key = "precompiled_charsmap";
  if (map.type !== "array" || (map.of !== "uint8" && map.of !== "int8")) {
    throw refuse(key, `is ${found(map)}, expected bytes`);
  }
  if (map.value.length === 0) return;
  const size = Buffer.from(map.value.slice(0, 4));
  const trieBytes = size.length === 4 ? size.readUInt32LE() : Infinity;
  if (trieBytes % 4 !== 0 || 4 + trieBytes > map.value.length) {
    throw refuse(key, `is truncated: a table of ${trieBytes} bytes in ${map.value.length}`);
  }
}

function found(value: GgufValue | undefined): string {
  if (value === undefined) return "missing";
  return value.type === "array" ? `an array of ${value.of}` : `of type ${value.type}`;
}
