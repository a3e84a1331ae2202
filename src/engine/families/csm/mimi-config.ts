import { readKeyValueHeads } from "../common-config.js";
import type { ConfigReader } from "../config-reader.js";
import { readRope } from "../rope.js";
import { readHeadDim } from "./transformer-config.js";

/** Sizes of Mimi, the codec. Lengths in elements, strides and kernels in steps of the convolution's input. */
export interface MimiConfig {
  /** Hz */
  readonly samplingRate: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** Of the encoder's transformer and of the decoder's. */
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  /** Positions that a step of the transformers sees, itself counted. */
  readonly slidingWindow: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  /** Channels next to the waveform. */
  readonly filters: number;
  readonly kernelSize: number;
  readonly lastKernelSize: number;
  readonly residualKernelSize: number;
  readonly residualLayers: number;
  readonly dilationGrowth: number;
  /** Residual branches have the block's channels divided by this. */
  readonly compress: number;
  /** Strides of the decoder, from the frames to the waveform. */
  readonly ratios: readonly number[];
  readonly upsampleGroups: number;
  readonly quantizers: number;
  readonly semanticQuantizers: number;
  readonly codebookSize: number;
  readonly codebookDim: number;
}

/** The transformers run at this many steps per frame; the down- and upsampling beside them have that stride. */
export const STEPS_PER_FRAME = 2;

const DEFAULT_RATIOS = [8, 6, 5, 4] as const;

/**
 * Reads the codec's part of a CsmConfig, with the defaults of MimiConfig in transformers 5.18.
 * What is wrong is noted in the reader.
 */
export function readMimi(config: ConfigReader): MimiConfig {
  const size = (key: string, meaning: string, fallback: number): number =>
    config.integer(key, { meaning, fallback });
  config.choice("model_type", ["mimi"], { meaning: "kind of codec", fallback: "mimi" });
  const samplingRate = size("sampling_rate", "samples per second", 24000);
  const hiddenSize = size("hidden_size", "width of the transformers and of the latent", 512);
  const heads = size("num_attention_heads", "attention heads per layer", 8);
  const contextLength = size("max_position_embeddings", "positions of the transformers, not a limit", 8000);
  const ratios = readRatios(config);
  const mimi: MimiConfig = {
    samplingRate,
    hiddenSize,
    intermediateSize: size("intermediate_size", "width of the feed-forward layers", 2048),
    layers: config.integer("num_hidden_layers", {
      meaning: "layers of each of the two transformers",
      fallback: 8,
      most: 512,
    }),
    heads,
    keyValueHeads: readKeyValueHeads(config, heads, 8),
    headDim: readHeadDim(config, hiddenSize, heads),
    contextLength,
    slidingWindow: size("sliding_window", "steps that the transformers see, the current one counted", 250),
    normEps: config.positive("norm_eps", { meaning: "added to the variance in layer norms", fallback: 1e-5 }),
    ropeTheta: readRope(config, contextLength, { theta: 10000, partialRotaryFactor: 1, types: ["default"] })
      .theta,
    filters: size("num_filters", "channels next to the waveform", 64),
    kernelSize: size("kernel_size", "kernel of the first convolution", 7),
    lastKernelSize: size("last_kernel_size", "kernel of the last convolution", 3),
    residualKernelSize: size("residual_kernel_size", "kernel of the residual blocks", 3),
    residualLayers: config.integer("num_residual_layers", {
      meaning: "residual blocks per ratio",
      fallback: 1,
      least: 0,
      most: 16,
    }),
    dilationGrowth: size("dilation_growth_rate", "dilation of residual block j is this to the power of j", 2),
    compress: size("compress", "narrowing inside the residual blocks", 2),
    ratios,
    upsampleGroups: size("upsample_groups", "channel groups of the upsampling convolution", 512),
    quantizers: size("num_quantizers", "codebooks per frame", 32),
    semanticQuantizers: size("num_semantic_quantizers", "codebooks with projections of their own", 1),
    codebookSize: size("codebook_size", "entries of a codebook", 2048),
    codebookDim: size("codebook_dim", "width of a codebook entry", 256),
  };
  refuseOtherCodecs(config, mimi);
  return mimi;
}

function readRatios(config: ConfigReader): number[] {
  const meaning = "strides of the decoder's transposed convolutions";
  const listed = config.list("upsampling_ratios", meaning);
  if (!listed || listed.length === 0) {
    config.record("upsampling_ratios", DEFAULT_RATIOS, "default", meaning);
    return [...DEFAULT_RATIOS];
  }
  return listed.map((ratio, index) => {
    const value = typeof ratio === "bigint" ? Number(ratio) : ratio;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 4096) {
      config.wrong(`upsampling_ratios[${index}]`, "a whole number from 1 to 4096", ratio);
      return 1;
    }
    return value;
  });
}

/** Variants that transformers can build and no published Mimi uses. */
function refuseOtherCodecs(config: ConfigReader, mimi: MimiConfig): void {
  const only = (key: string, meaning: string, value: number | boolean | string): void => {
    const read =
      typeof value === "number"
        ? config.number(key, { meaning, fallback: value })
        : typeof value === "boolean"
          ? config.boolean(key, { meaning, fallback: value })
          : config.string(key, { meaning, fallback: value });
    if (read !== value) config.wrong(key, `${String(value)} (parley runs no other Mimi)`, read);
  };
  only("audio_channels", "channels of the waveform", 1);
  only("use_causal_conv", "convolutions look back only", true);
  only("pad_mode", "what is beyond the ends of the waveform", "constant");
  only("trim_right_ratio", "which side of transposed convolutions is cut", 1);
  only("use_conv_shortcut", "a convolution beside the residual blocks", false);
  only("hidden_act", "activation of the feed-forward layers", "gelu");
  only("attention_bias", "biases in the attention layers", false);
  const width = config.integer("vector_quantization_hidden_dimension", {
    meaning: "width of the codebooks' space",
    fallback: mimi.codebookDim,
  });
  if (width !== mimi.codebookDim) {
    const expected = `codebook_dim ${mimi.codebookDim} (parley runs no other Mimi)`;
    config.clash("vector_quantization_hidden_dimension", expected, width);
  }
  if (mimi.semanticQuantizers >= mimi.quantizers) {
    config.clash(
      "num_semantic_quantizers",
      `below num_quantizers ${mimi.quantizers}`,
      mimi.semanticQuantizers,
    );
  }
  if (mimi.hiddenSize % mimi.upsampleGroups !== 0) {
    config.clash("upsample_groups", `a divisor of hidden_size ${mimi.hiddenSize}`, mimi.upsampleGroups);
  }
  refuseOtherFrameRates(config, mimi);
}

/** MimiModel: the transformers' rate is ceil(samples / hop); resampling kernels are twice its ratio to the frame rate. */
function refuseOtherFrameRates(config: ConfigReader, { samplingRate, ratios }: MimiConfig): void {
  const hop = ratios.reduce((product, ratio) => product * ratio, 1);
  const stepRate = Math.ceil(samplingRate / hop);
  const derived = samplingRate / (hop * STEPS_PER_FRAME);
  const meaning = "frames per second";
  if (!config.has("frame_rate")) config.record("frame_rate", derived, "derived", meaning);
  const frameRate = config.has("frame_rate") ? config.positive("frame_rate", { meaning }) : derived;
  if (Math.floor(stepRate / frameRate) !== STEPS_PER_FRAME) {
    config.clash("frame_rate", `half of the ${stepRate} steps per second of the transformers`, frameRate);
  }
}
