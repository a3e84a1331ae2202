import { describe, expect, it } from "vitest";
import { readCsmConfig } from "../../../../src/engine/families/csm/config.js";
import type { TransformerShape } from "../../../../src/engine/families/csm/transformer-config.js";
import { configTexts, fixtureJson, referenceConfigs } from "../texts.js";

type Json = Record<string, unknown>;

/** A part of what transformers loaded, in the words of TransformerShape. */
function shapeOf(loaded: Json): TransformerShape {
  const rope = loaded["rope_parameters"] as Record<string, number | string>;
  const scaled = rope["rope_type"] === "llama3";
  return {
    hiddenSize: loaded["hidden_size"] as number,
    intermediateSize: loaded["intermediate_size"] as number,
    layers: loaded["num_hidden_layers"] as number,
    heads: loaded["num_attention_heads"] as number,
    keyValueHeads: loaded["num_key_value_heads"] as number,
    headDim: loaded["head_dim"] as number,
    contextLength: loaded["max_position_embeddings"] as number,
    rmsNormEps: loaded["rms_norm_eps"] as number,
    rope: {
      theta: rope["rope_theta"] as number,
      partialRotaryFactor: 1,
      ...(scaled
        ? {
            llama3: {
              factor: rope["factor"] as number,
              lowFreqFactor: rope["low_freq_factor"] as number,
              highFreqFactor: rope["high_freq_factor"] as number,
              originalContext: rope["original_max_position_embeddings"] as number,
            },
          }
        : {}),
    },
  };
}

describe("readCsmConfig", () => {
  for (const [name, { given, loaded }] of referenceConfigs("csm")) {
    it(`reads what transformers reads: ${name}`, () => {
      const { backbone, depth, mimi, entries, notes, ...rest } = readCsmConfig(configTexts(given));
      const codec = loaded["codec_config"] as Json;
      expect(backbone).toEqual(shapeOf(loaded));
      expect(depth).toEqual(shapeOf(loaded["depth_decoder_config"] as Json));
      expect(rest).toEqual({
        codebooks: loaded["num_codebooks"],
        audioVocabSize: loaded["vocab_size"],
        textVocabSize: loaded["text_vocab_size"],
        audioTokenId: loaded["audio_token_id"],
        audioEosTokenId: loaded["audio_eos_token_id"],
        bosTokenId: loaded["bos_token_id"],
        padTokenId: loaded["pad_token_id"],
        codebookEos: loaded["codebook_eos_token_id"],
        codebookPad: loaded["codebook_pad_token_id"],
      });
      expect(mimi).toEqual({
        samplingRate: codec["sampling_rate"],
        hiddenSize: codec["hidden_size"],
        intermediateSize: codec["intermediate_size"],
        layers: codec["num_hidden_layers"],
        heads: codec["num_attention_heads"],
        keyValueHeads: codec["num_key_value_heads"],
        headDim: codec["head_dim"],
        contextLength: codec["max_position_embeddings"],
        slidingWindow: codec["sliding_window"],
        normEps: codec["norm_eps"],
        ropeTheta: (codec["rope_parameters"] as Json)["rope_theta"],
        filters: codec["num_filters"],
        kernelSize: codec["kernel_size"],
        lastKernelSize: codec["last_kernel_size"],
        residualKernelSize: codec["residual_kernel_size"],
        residualLayers: codec["num_residual_layers"],
        dilationGrowth: codec["dilation_growth_rate"],
        compress: codec["compress"],
        ratios: codec["upsampling_ratios"],
        upsampleGroups: codec["upsample_groups"],
        quantizers: codec["num_quantizers"],
        semanticQuantizers: codec["num_semantic_quantizers"],
        codebookSize: codec["codebook_size"],
        codebookDim: codec["codebook_dim"],
      });
      expect(entries.map(({ key }) => key)).toContain("depth_decoder_config.num_hidden_layers");
      expect(notes).toEqual([]);
    });
  }

  it("notes where a value came from, in all three parts", () => {
    const { entries } = readCsmConfig(configTexts({ codec_config: { sliding_window: 9 } }));
    const originOf = (key: string) => entries.find((entry) => entry.key === key)?.origin;
    expect(originOf("codec_config.sliding_window")).toBe("file");
    expect(originOf("num_hidden_layers")).toBe("default");
    expect(originOf("depth_decoder_config.head_dim")).toBe("derived");
  });

  const base = fixtureJson("csm-six", "config.json");
  const depth = base["depth_decoder_config"] as Json;
  const codec = base["codec_config"] as Json;
  const refused: [string, Json, string][] = [
    ["heads that share unevenly", { num_key_value_heads: 3 }, '"num_key_value_heads"'],
    [
      "a depth decoder of another backbone",
      { depth_decoder_config: { ...depth, backbone_hidden_size: 32 } },
      "64",
    ],
    [
      "a depth decoder of other codebooks",
      { depth_decoder_config: { ...depth, num_codebooks: 5 } },
      "as the backbone",
    ],
    [
      "a codec with fewer codebooks",
      { codec_config: { ...codec, num_quantizers: 5 } },
      '"codec_config.num_quantizers"',
    ],
    [
      "codes beyond the audio ids",
      { codec_config: { ...codec, codebook_size: 64 } },
      '"codec_config.codebook_size"',
    ],
    [
      "two audio channels",
      { codec_config: { ...codec, audio_channels: 2 } },
      '"codec_config.audio_channels"',
    ],
    [
      "convolutions that look ahead",
      { codec_config: { ...codec, use_causal_conv: false } },
      "use_causal_conv",
    ],
    [
      "another frame rate",
      { codec_config: { ...codec, _frame_rate: undefined, frame_rate: 25 } },
      "frame_rate",
    ],
    ["another codec", { codec_config: { ...codec, model_type: "encodec" } }, '"codec_config.model_type"'],
    ["scaled RoPE of another kind", { rope_parameters: { rope_type: "yarn", factor: 2 } }, "rope_type"],
    ["biases", { attention_bias: true }, '"attention_bias"'],
    ["an audio token outside the vocabulary", { audio_token_id: 271 }, '"audio_token_id"'],
    ["a single codebook", { num_codebooks: 1 }, '"num_codebooks"'],
  ];
  it("names what is wrong in all parts at once", () => {
    const changes = {
      attention_bias: true,
      depth_decoder_config: { ...depth, mlp_bias: true },
      codec_config: { ...codec, model_type: "encodec", use_causal_conv: false, norm_eps: 0 },
    };
    const paths = [
      "attention_bias",
      "depth_decoder_config.mlp_bias",
      "codec_config.model_type",
      "codec_config.norm_eps",
      "codec_config.use_causal_conv",
    ];
    expect(() => readCsmConfig(configTexts({ ...base, ...changes }))).toThrow(
      new RegExp(`5 values are wrong: ${paths.map((path) => `"${path}" must be [^;]*`).join("; ")}$`),
    );
  });

  for (const [name, changes, message] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => readCsmConfig(configTexts({ ...base, ...changes }))).toThrow(
        expect.objectContaining({
          code: "CONFIG_VALUE",
          message: expect.stringContaining(message) as string,
        }),
      );
    });
  }
});
