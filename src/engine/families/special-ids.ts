import type { ConfigReader } from "./config-reader.js";

/** Token ids that a configuration gives a meaning. */
export interface SpecialIds {
  readonly bosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** Every id that ends an answer, in the order of the configuration. */
  readonly eosTokenIds: readonly number[];
}

/**
 * Reads the special ids. The defaults of a class belong to its full vocabulary: those that a smaller one
 * does not have mean nothing. What is wrong is noted in the reader.
 */
export function readSpecialIds(config: ConfigReader, vocabSize: number, defaults: SpecialIds): SpecialIds {
  return {
    eosTokenIds: readEndIds(config, vocabSize, defaults.eosTokenIds),
    // Some published configurations say -1 for "none".
    padTokenId: readId(
      config,
      "pad_token_id",
      "id that fills up batches",
      -1,
      vocabSize,
      defaults.padTokenId,
    ),
    bosTokenId: readId(config, "bos_token_id", "id that starts a text", 0, vocabSize, defaults.bosTokenId),
  };
}

function readEndIds(config: ConfigReader, vocabSize: number, defaults: readonly number[]): readonly number[] {
  const meaning = "each of these ids ends an answer";
  if (config.has("eos_token_id")) return config.ids("eos_token_id", meaning);
  if (config.isNull("eos_token_id")) {
    config.record("eos_token_id", null, "file", meaning);
    return [];
  }
  config.record("eos_token_id", defaults, "default", meaning);
  return defaults.filter((id) => id < vocabSize);
}

function readId(
  config: ConfigReader,
  key: string,
  meaning: string,
  least: number,
  vocabSize: number,
  fallback: number | undefined,
): number | undefined {
  const wanted = { meaning, least, ...(fallback === undefined ? {} : { fallback }) };
  const isDefault = !config.has(key) && !config.isNull(key);
  const id = config.optionalInteger(key, wanted);
  return id === undefined || id < 0 || (isDefault && id >= vocabSize) ? undefined : id;
}
