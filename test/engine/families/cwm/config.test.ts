import { describe, expect, it } from "vitest";
import { readCwmConfig } from "../../../../src/engine/families/cwm/config.js";
import { configTexts, fixtureJson, referenceConfigs } from "../texts.js";

const base = fixtureJson("cwm-regular", "config.json");

function read(changes: object): ReturnType<typeof readCwmConfig> {
  return readCwmConfig(configTexts({ ...base, ...changes }));
}

describe("readCwmConfig", () => {
  for (const [name, { given, loaded }] of referenceConfigs("cwm")) {
    it(`reads what transformers reads: ${name}`, () => {
      const config = readCwmConfig(configTexts(given));
      const rope = loaded["rope_parameters"] as Record<string, number | string>;
      const eos = loaded["eos_token_id"];
      expect({
        vocabSize: config.vocabSize,
        hiddenSize: config.hiddenSize,
        intermediateSize: config.intermediateSize,
        layers: config.layers,
        heads: config.heads,
        keyValueHeads: config.keyValueHeads,
        headDim: config.headDim,
        contextLength: config.contextLength,
        rmsNormEps: config.rmsNormEps,
        tiedEmbeddings: config.tiedEmbeddings,
        slidingWindow: config.slidingWindow,
        sliding: config.sliding,
        bosTokenId: config.bosTokenId,
        eosTokenIds: config.eosTokenIds,
        rope: config.rope,
      }).toEqual({
        vocabSize: loaded["vocab_size"],
        hiddenSize: loaded["hidden_size"],
        intermediateSize: loaded["intermediate_size"],
        layers: loaded["num_hidden_layers"],
        heads: loaded["num_attention_heads"],
        keyValueHeads: loaded["num_key_value_heads"],
        headDim: loaded["head_dim"],
        contextLength: loaded["max_position_embeddings"],
        rmsNormEps: loaded["rms_norm_eps"],
        tiedEmbeddings: loaded["tie_word_embeddings"],
        slidingWindow: loaded["sliding_window"],
        sliding: (loaded["layer_types"] as string[]).map((type) => type === "sliding_attention"),
        bosTokenId: loaded["bos_token_id"],
        eosTokenIds: Array.isArray(eos) ? eos : [eos],
        rope: {
          theta: rope["rope_theta"],
          partialRotaryFactor: 1,
          ...(rope["rope_type"] === "llama3" && {
            llama3: {
              factor: rope["factor"],
              lowFreqFactor: rope["low_freq_factor"],
              highFreqFactor: rope["high_freq_factor"],
              originalContext: rope["original_max_position_embeddings"],
            },
          }),
        },
      });
    });
  }

  it("takes a window of null or 0 for no window in any layer", () => {
    for (const none of [null, 0]) {
      const config = read({ sliding_window: none });
      expect(config.slidingWindow).toBe(0);
      expect(config.sliding).toEqual([false, false, false, false, false]);
    }
  });

  it("divides hidden_size by the heads when head_dim is null", () => {
    const config = read({ head_dim: null, num_key_value_heads: null });
    expect(config.headDim).toBe(8);
    expect(config.keyValueHeads).toBe(4);
    expect(config.entries.find((entry) => entry.key === "head_dim")?.origin).toBe("derived");
  });

  it("takes the original context from beside the RoPE parameters first, then from inside, then the context", () => {
    const llama3 = { rope_type: "llama3", factor: 2, low_freq_factor: 1, high_freq_factor: 4 };
    const original = (changes: object): number | undefined => read(changes).rope.llama3?.originalContext;
    expect(original({ rope_parameters: llama3 })).toBe(base["max_position_embeddings"]);
    const inside = { ...llama3, original_max_position_embeddings: 77 };
    expect(original({ rope_parameters: inside })).toBe(77);
    expect(original({ rope_parameters: inside, original_max_position_embeddings: 99 })).toBe(99);
  });

  it("says where every value comes from, also of keys it has no use for", () => {
    const entries = new Map(read({ invented: 1 }).entries.map((entry) => [entry.key, entry]));
    expect(entries.get("hidden_size")).toMatchObject({ value: 32, origin: "file" });
    expect(entries.get("rope_parameters.rope_theta")).toMatchObject({ origin: "file" });
    expect(entries.get("invented")).toMatchObject({ value: 1, meaning: "not read by parley" });
    expect([...Object.keys(base)].filter((key) => !entries.has(key) && key !== "rope_parameters")).toEqual(
      [],
    );
    for (const { meaning } of entries.values()) expect(meaning).not.toBe("");
  });

  it("explains that use_sliding_window is not read", () => {
    expect(read({ use_sliding_window: false }).notes.join()).toContain("use_sliding_window");
    expect(read({ use_sliding_window: true }).notes).toEqual([]);
  });

  it("takes a pad id of -1 for none and drops default ids that the vocabulary does not have", () => {
    const config = read({ pad_token_id: -1, eos_token_id: null, bos_token_id: undefined });
    expect(config.padTokenId).toBeUndefined();
    expect(config.eosTokenIds).toEqual([]);
    expect(config.bosTokenId).toBeUndefined();
  });

  const llama3 = (changes: object): object => ({
    rope_parameters: {
      rope_type: "llama3",
      rope_theta: 1e6,
      factor: 16,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
      ...changes,
    },
  });
  const refused: [string, object, string][] = [
    ["hidden_size 0", { hidden_size: 0 }, '"hidden_size" must be a whole number from 1'],
    ["a negative size", { intermediate_size: -1 }, '"intermediate_size"'],
    ["a size as a string", { hidden_size: "32" }, 'found "32"'],
    ["a fractional size", { vocab_size: 448.5 }, '"vocab_size"'],
    ["null for a size", { vocab_size: null }, "found null"],
    [
      "heads that do not divide hidden_size",
      { num_attention_heads: 5, num_key_value_heads: 1 },
      '"hidden_size"',
    ],
    ["no key-value heads", { num_key_value_heads: 0 }, '"num_key_value_heads"'],
    ["more key-value heads than heads", { num_key_value_heads: 8 }, '"num_key_value_heads"'],
    ["an odd head_dim", { head_dim: 7 }, '"head_dim"'],
    ["a negative window", { sliding_window: -1 }, '"sliding_window"'],
    ["too few layer types", { layer_types: ["full_attention"] }, "one entry per layer"],
    ["an unknown layer type", { layer_types: ["full_attention", "conv", "a", "b", "c"] }, '"layer_types[1]"'],
    ["another activation", { hidden_act: "gelu" }, '"hidden_act"'],
    ["feed-forward biases", { mlp_bias: true }, '"mlp_bias"'],
    ["an epsilon of 0", { rms_norm_eps: 0 }, '"rms_norm_eps" must be a number above 0'],
    [
      "an unknown RoPE type",
      { rope_parameters: { rope_type: "yarn", factor: 2 } },
      '"rope_parameters.rope_type"',
    ],
    ["a RoPE factor of 0", llama3({ factor: 0 }), '"rope_parameters.factor"'],
    ["a missing RoPE factor", llama3({ low_freq_factor: undefined }), '"rope_parameters.low_freq_factor"'],
    [
      "frequency factors in the wrong order",
      llama3({ high_freq_factor: 1 }),
      '"rope_parameters.high_freq_factor"',
    ],
    ["heads rotated in part", { partial_rotary_factor: 0.5 }, '"partial_rotary_factor"'],
    ["RoPE per layer type", { rope_parameters: { full_attention: {} } }, '"rope_parameters.full_attention"'],
    ["a negative eos id", { eos_token_id: [1, -2] }, '"eos_token_id"'],
  ];
  for (const [name, changes, message] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => read(changes)).toThrow(
        expect.objectContaining({
          code: "CONFIG_VALUE",
          exit: "badFile",
          message: expect.stringContaining(message) as string,
        }),
      );
    });
  }

  it("names everything that is wrong at once, and nothing that only follows from it", () => {
    const message = (changes: object): string => {
      try {
        read(changes);
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error("it was accepted");
    };
    const all = message({
      num_attention_heads: 0,
      hidden_act: "gelu",
      rms_norm_eps: -1,
      layer_types: ["full_attention", "conv", "sliding_attention", "sliding_attention", 7],
      rope_parameters: { rope_type: "yarn", rope_theta: "1e6" },
      eos_token_id: [1, -2],
    });
    // the 48 heads of the default do not go with the other sizes: that is not the file's fault
    const keys = [...all.matchAll(/"([\w.[\]]+)" must be/g)].map(([, key]) => key);
    expect(keys).toEqual([
      "num_attention_heads",
      "rms_norm_eps",
      "hidden_act",
      "rope_parameters.rope_type",
      "rope_parameters.rope_theta",
      "layer_types[1]",
      "layer_types[4]",
      "eos_token_id",
    ]);
    expect(all).toContain("8 values are wrong");

    const clashes = message({ num_key_value_heads: 3, layer_types: ["full_attention"] });
    expect(clashes).toContain('2 values are wrong: "num_key_value_heads" must be a divisor of the 4');
    expect(clashes).toContain('"layer_types" must be a list of 5');

    const many = message({ num_hidden_layers: 40, layer_types: new Array<string>(40).fill("conv") });
    expect(many).toMatch(/40 values are wrong: .*; and 20 more$/);
  });

  it("refuses numbers that JSON cannot hold", () => {
    for (const number of ["1e309", "9007199254740993"]) {
      const text = JSON.stringify(base).replace('"hidden_size":32', `"hidden_size":${number}`);
      expect(() => readCwmConfig({ label: "c", text: () => text })).toThrow(
        expect.objectContaining({ code: "CONFIG_VALUE" }),
      );
    }
  });

  it("refuses more layers than llama.cpp survives", () => {
    expect(() => read({ num_hidden_layers: 513, layer_types: null })).toThrow(
      expect.objectContaining({ code: "LIMIT_LAYERS" }),
    );
  });

  for (const [name, text] of [
    ["an empty file", ""],
    ["a cut file", '{"hidden_size": 32,'],
    ["a trailing comma", '{"hidden_size": 32,}'],
    ["a byte order mark", '\ufeff{"hidden_size": 32}'],
    ["a list", "[]"],
    ["a double key", '{"hidden_size": 32, "hidden_size": 64}'],
  ] as const) {
    it(`refuses ${name} for a configuration`, () => {
      expect(() => readCwmConfig({ label: "c", text: () => text })).toThrow(
        expect.objectContaining({
          code: "CONFIG_JSON",
          message: expect.stringContaining("config.json") as string,
        }),
      );
    });
  }
});
