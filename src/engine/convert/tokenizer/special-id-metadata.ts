import type { TokenizerNeeds } from "../../families/family.js";
import { badFile } from "../../formats/bad-file.js";
import type { GgufValue } from "../../formats/gguf.js";
import type { JsonPath } from "./json-path.js";
import type { Affixes } from "./post-processor.js";
import { specialTokenText } from "./tokenizer-config.js";
import type { Tokenizer } from "./tokenizer-json.js";

interface Subject {
  readonly tokenizer: Tokenizer;
  /** Text of every id. */
  readonly tokens: readonly string[];
  readonly needs: TokenizerNeeds;
  readonly config: JsonPath;
  readonly file: string;
}

/**
 * Special ids: one of each kind for llama.cpp, and the whole truth under `parley.tokenizer.*`.
 * @throws UserError TOKEN_SPECIAL (exit 65) for an id outside the vocabulary, or when nothing ends an answer
 */
export function specialIdMetadata(subject: Subject): [string, GgufValue][] {
  const { tokens, needs, config, file } = subject;
  const idOf = (text: string | undefined): number | undefined => {
    const id = text === undefined ? -1 : tokens.indexOf(text);
    return id < 0 ? undefined : id;
  };
  const ownBos = idOf(specialTokenText(config, "bos_token"));
  const bos = needs.prefersTokenizer ? (ownBos ?? needs.bosTokenId) : (needs.bosTokenId ?? ownBos);
  const pad = needs.padTokenId ?? idOf(specialTokenText(config, "pad_token"));
  const affixes = readAffixes(subject, bos);
  // Where no configuration names an id, a turn's text still ends with the tokenizer's own end token.
  const ownEos = idOf(specialTokenText(config, "eos_token"));
  const takesOwn = needs.prefersTokenizer === true || needs.eosTokenIds.length === 0;
  const eosIds = takesOwn && ownEos !== undefined ? [ownEos] : needs.eosTokenIds;
  for (const id of [bos, pad, ...eosIds, ...affixes.prefix, ...affixes.suffix]) {
    if (id !== undefined && id >= tokens.length) {
      throw badFile(
        "TOKEN_SPECIAL",
        file,
        `the special id ${id} is outside the vocabulary of ${tokens.length} tokens`,
        "Check bos_token_id, eos_token_id and pad_token_id in config.json and generation_config.json.",
      );
    }
  }
  const among = (id: number | undefined): number | undefined =>
    id !== undefined && eosIds.includes(id) ? id : undefined;
  const eot = among(idOf(needs.eotToken));
  const eom = among(idOf(needs.eomToken));
  const eos = eosIds.find((id) => id !== eot && id !== eom) ?? eosIds[0];
  if (eos === undefined) {
    throw badFile("TOKEN_SPECIAL", file, "no token ends an answer", "Set eos_token_id in config.json.");
  }
  const startsWithBos = bos !== undefined && affixes.prefix.length === 1 && affixes.prefix[0] === bos;
  const endsWithEos = affixes.suffix.length === 1 && affixes.suffix[0] === eos;
  // Where a checkpoint has no bos, llama.cpp would take id 11 for one; the end-of-text token does no harm.
  const named: [string, number | undefined][] = [
    ["tokenizer.ggml.bos_token_id", bos ?? eos],
    ["tokenizer.ggml.eos_token_id", eos],
    ["tokenizer.ggml.eot_token_id", eot],
    ["tokenizer.ggml.eom_token_id", eom],
    ["tokenizer.ggml.padding_token_id", pad],
  ];
  return [
    ...named.flatMap(([key, value]): [string, GgufValue][] =>
      value === undefined ? [] : [[key, uint32(value)]],
    ),
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: startsWithBos }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: endsWithEos }],
    ["parley.tokenizer.eos_token_ids", uint32Array(eosIds)],
    ["parley.tokenizer.prefix_token_ids", uint32Array(affixes.prefix)],
    ["parley.tokenizer.suffix_token_ids", uint32Array(affixes.suffix)],
  ];
}

/**
 * What encoding puts around a text. transformers 5 replaces the post-processor of tokenizer.json when
 * tokenizer_config.json says `add_bos_token` or `add_eos_token` (TokenizersBackend.update_post_processor).
 */
function readAffixes({ tokenizer, tokens, config }: Subject, bos: number | undefined): Affixes {
  const [addBos, addEos] = [config.at("add_bos_token"), config.at("add_eos_token")];
  if (addBos.isNothing() && addEos.isNothing()) return tokenizer.affixes;
  const eosText = specialTokenText(config, "eos_token");
  const eos = eosText === undefined ? -1 : tokens.indexOf(eosText);
  return {
    prefix: addBos.flag() && bos !== undefined ? [bos] : [],
    suffix: addEos.flag() && eos >= 0 ? [eos] : [],
  };
}

function uint32(value: number): GgufValue {
  return { type: "uint32", value };
}

function uint32Array(value: readonly number[]): GgufValue {
  return { type: "array", of: "uint32", value };
}
