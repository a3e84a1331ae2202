import { rename, type IgnoredTensor, type TensorRule } from "../../tensors/rules.js";
import { layerRules, type LayerTensor } from "../layer-tensors.js";
import { convolutionWindows, foldedCodebook, transposedWindows } from "./layouts.js";
import { STEPS_PER_FRAME, type MimiConfig } from "./mimi-config.js";

/** Rules for the codec: convolutions as products with windows, codebooks folded. */
export function mimiRules(mimi: MimiConfig): TensorRule[] {
  return [
    ...encoderRules(mimi),
    ...transformerRules("encoder_transformer", "mimi.enc", mimi),
    ...convolution("downsample", "mimi.enc.downsample", {
      inputs: mimi.hiddenSize,
      outputs: mimi.hiddenSize,
      taps: 2 * STEPS_PER_FRAME,
      biased: false,
    }),
    ...quantizerRules(mimi),
    ...transposed("upsample", "mimi.dec.upsample", {
      inputs: mimi.hiddenSize,
      outputs: mimi.hiddenSize,
      stride: STEPS_PER_FRAME,
      groups: mimi.upsampleGroups,
      biased: false,
    }),
    ...transformerRules("decoder_transformer", "mimi.dec", mimi),
    ...decoderRules(mimi),
  ];
}

/** Flags that every codebook carries from training. */
export function mimiIgnored(mimi: MimiConfig): IgnoredTensor[] {
  return codebooks(mimi).map((source) => ({
    name: `${source}.initialized`,
    reason: "it says that training has filled the codebook",
  }));
}

interface ConvolutionShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly taps: number;
  readonly biased: boolean;
}

function convolution(source: string, target: string, shape: ConvolutionShape): TensorRule[] {
  const { inputs, outputs, taps, biased } = shape;
  return [
    {
      target: `${target}.weight`,
      shape: [outputs, taps * inputs],
      from: [{ name: `codec_model.${source}.conv.weight`, shape: [outputs, inputs, taps] }],
      compute: ([weight]) => convolutionWindows(weight!, outputs, inputs, taps),
    },
    ...(biased ? [rename(`codec_model.${source}.conv.bias`, `${target}.bias`, [outputs])] : []),
  ];
}

interface UpsamplingShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly groups: number;
  readonly biased: boolean;
}

function transposed(source: string, target: string, shape: UpsamplingShape): TensorRule[] {
  const { inputs, outputs, stride, groups, biased } = shape;
  return [
    {
      target: `${target}.weight`,
      shape: [stride * outputs, 2 * inputs],
      from: [{ name: `codec_model.${source}.conv.weight`, shape: [inputs, outputs / groups, 2 * stride] }],
      compute: ([weight]) => transposedWindows(weight!, shape),
    },
    ...(biased ? [rename(`codec_model.${source}.conv.bias`, `${target}.bias`, [outputs])] : []),
  ];
}

function residualBlock(source: string, target: string, channels: number, mimi: MimiConfig): TensorRule[] {
  const narrow = Math.floor(channels / mimi.compress);
  return [
    ...convolution(`${source}.block.1`, `${target}.conv1`, {
      inputs: channels,
      outputs: narrow,
      taps: mimi.residualKernelSize,
      biased: true,
    }),
    ...convolution(`${source}.block.3`, `${target}.conv2`, {
      inputs: narrow,
      outputs: channels,
      taps: 1,
      biased: true,
    }),
  ];
}

/** MimiEncoder numbers its layers in the order of computation; activations count. */
function encoderRules(mimi: MimiConfig): TensorRule[] {
  let layer = 0;
  const next = (): string => `encoder.layers.${layer++}`;
  let channels = mimi.filters;
  const rules = convolution(next(), "mimi.enc.conv_in", {
    inputs: 1,
    outputs: channels,
    taps: mimi.kernelSize,
    biased: true,
  });
  for (const [stage, ratio] of mimi.ratios.toReversed().entries()) {
    for (let block = 0; block < mimi.residualLayers; block++) {
      rules.push(...residualBlock(next(), `mimi.enc.${stage}.res.${block}`, channels, mimi));
    }
    layer++;
    const shape = { inputs: channels, outputs: 2 * channels, taps: 2 * ratio, biased: true };
    rules.push(...convolution(next(), `mimi.enc.${stage}.resample`, shape));
    channels *= 2;
  }
  layer++;
  const last = { inputs: channels, outputs: mimi.hiddenSize, taps: mimi.lastKernelSize, biased: true };
  return [...rules, ...convolution(next(), "mimi.enc.conv_out", last)];
}

/** As MimiDecoder numbers its layers. */
function decoderRules(mimi: MimiConfig): TensorRule[] {
  let layer = 0;
  const next = (): string => `decoder.layers.${layer++}`;
  let channels = mimi.filters * 2 ** mimi.ratios.length;
  const rules = convolution(next(), "mimi.dec.conv_in", {
    inputs: mimi.hiddenSize,
    outputs: channels,
    taps: mimi.kernelSize,
    biased: true,
  });
  for (const [stage, stride] of mimi.ratios.entries()) {
    layer++;
    const shape = { inputs: channels, outputs: channels / 2, stride, groups: 1, biased: true };
    rules.push(...transposed(next(), `mimi.dec.${stage}.resample`, shape));
    channels /= 2;
    for (let block = 0; block < mimi.residualLayers; block++) {
      rules.push(...residualBlock(next(), `mimi.dec.${stage}.res.${block}`, channels, mimi));
    }
  }
  layer++;
  const last = { inputs: channels, outputs: 1, taps: mimi.lastKernelSize, biased: true };
  return [...rules, ...convolution(next(), "mimi.dec.conv_out", last)];
}

function transformerRules(source: string, target: string, mimi: MimiConfig): TensorRule[] {
  const { hiddenSize: hidden, intermediateSize: ffn } = mimi;
  const queries = mimi.heads * mimi.headDim;
  const keys = mimi.keyValueHeads * mimi.headDim;
  const from = `codec_model.${source}.layers.{i}.`;
  const to = `${target}.blk.{i}.`;
  const perLayer: LayerTensor[] = [
    [`${from}input_layernorm.weight`, `${to}attn_norm.weight`, [hidden]],
    [`${from}input_layernorm.bias`, `${to}attn_norm.bias`, [hidden]],
    [`${from}self_attn.q_proj.weight`, `${to}attn_q.weight`, [queries, hidden]],
    [`${from}self_attn.k_proj.weight`, `${to}attn_k.weight`, [keys, hidden]],
    [`${from}self_attn.v_proj.weight`, `${to}attn_v.weight`, [keys, hidden]],
    [`${from}self_attn.o_proj.weight`, `${to}attn_output.weight`, [hidden, queries]],
    [`${from}self_attn_layer_scale.scale`, `${to}attn_scale.weight`, [hidden]],
    [`${from}post_attention_layernorm.weight`, `${to}ffn_norm.weight`, [hidden]],
    [`${from}post_attention_layernorm.bias`, `${to}ffn_norm.bias`, [hidden]],
    [`${from}mlp.fc1.weight`, `${to}ffn_up.weight`, [ffn, hidden]],
    [`${from}mlp.fc2.weight`, `${to}ffn_down.weight`, [hidden, ffn]],
    [`${from}mlp_layer_scale.scale`, `${to}ffn_scale.weight`, [hidden]],
  ];
  return layerRules(mimi.layers, perLayer);
}

const QUANTIZER = "codec_model.quantizer";

/** Source prefixes of all codebooks, the semantic ones first. */
function codebooks({ quantizers, semanticQuantizers: semantic }: MimiConfig): string[] {
  return Array.from({ length: quantizers }, (_, k) => {
    const [part, layer] = k < semantic ? ["semantic", k] : ["acoustic", k - semantic];
    return `${QUANTIZER}.${part}_residual_vector_quantizer.layers.${layer}.codebook`;
  });
}

function quantizerRules(mimi: MimiConfig): TensorRule[] {
  const { codebookSize: size, codebookDim: width, hiddenSize: hidden } = mimi;
  const folded = codebooks(mimi).map((source, k): TensorRule => ({
    target: `mimi.quant.codebook.${k}.weight`,
    shape: [size, width],
    from: [
      { name: `${source}.embed_sum`, shape: [size, width] },
      { name: `${source}.cluster_usage`, shape: [size] },
    ],
    compute: ([sums, usage]) => foldedCodebook(sums!, usage!),
  }));
  // Without a projection the codec's latent is quantised as it is.
  const projections = width === hidden ? [] : ["semantic", "acoustic"];
  return [...projections.flatMap((part) => projectionRules(part, hidden, width)), ...folded];
}

function projectionRules(part: string, hidden: number, width: number): TensorRule[] {
  const project = (direction: "input" | "output", rows: number, columns: number): TensorRule => ({
    target: `mimi.quant.${part}.${direction}.weight`,
    shape: [rows, columns],
    from: [
      {
        name: `${QUANTIZER}.${part}_residual_vector_quantizer.${direction}_proj.weight`,
        shape: [rows, columns, 1],
      },
    ],
  });
  return [project("input", width, hidden), project("output", hidden, width)];
}
