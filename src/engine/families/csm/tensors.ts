import { rename, type GeneratedTensor, type TensorRule, type TensorRules } from "../../tensors/rules.js";
import { layerRules, type LayerTensor } from "../layer-tensors.js";
import { llama3FrequencyFactors } from "../rope.js";
import type { CsmConfig } from "./config.js";
import { transposedHead } from "./layouts.js";
import { mimiIgnored, mimiRules } from "./mimi-tensors.js";
import type { TransformerShape } from "./transformer-config.js";

/**
 * Tensors of CsmForConditionalGeneration. The backbone has the names of a llama, the depth decoder the same after
 * "depth.", the codec "mimi.". No attention weight is permuted: the speech library rotates halves.
 */
export function csmTensors(config: CsmConfig): TensorRules {
  const { backbone, depth, codebooks, audioVocabSize, textVocabSize } = config;
  const table = [codebooks * audioVocabSize, backbone.hiddenSize];
  return {
    rules: [
      rename("embed_text_tokens.weight", "token_embd.weight", [textVocabSize, backbone.hiddenSize]),
      rename("backbone_model.embed_tokens.embed_audio_tokens.weight", "audio_embd.weight", table),
      rename("lm_head.weight", "output.weight", [audioVocabSize, backbone.hiddenSize]),
      ...transformerRules("backbone_model.", "", backbone),
      // Tied tables may be stored once or twice; a copy of its own is what the reference then uses.
      {
        ...rename("depth_decoder.model.embed_tokens.weight", "depth.audio_embd.weight", table),
        optional: true,
      },
      rename("depth_decoder.model.inputs_embeds_projector.weight", "depth.proj.weight", [
        depth.hiddenSize,
        backbone.hiddenSize,
      ]),
      ...transformerRules("depth_decoder.model.", "depth.", depth),
      ...headRules(config),
      ...mimiRules(config.mimi),
    ],
    generated: [...ropeFactors("", backbone), ...ropeFactors("depth.", depth)],
    ignored: mimiIgnored(config.mimi),
  };
}

function transformerRules(source: string, target: string, shape: TransformerShape): TensorRule[] {
  const { hiddenSize: hidden, intermediateSize: ffn, headDim } = shape;
  const queries = shape.heads * headDim;
  const keys = shape.keyValueHeads * headDim;
  const from = `${source}layers.{i}.`;
  const to = `${target}blk.{i}.`;
  const perLayer: LayerTensor[] = [
    [`${from}input_layernorm.weight`, `${to}attn_norm.weight`, [hidden]],
    [`${from}self_attn.q_proj.weight`, `${to}attn_q.weight`, [queries, hidden]],
    [`${from}self_attn.k_proj.weight`, `${to}attn_k.weight`, [keys, hidden]],
    [`${from}self_attn.v_proj.weight`, `${to}attn_v.weight`, [keys, hidden]],
    [`${from}self_attn.o_proj.weight`, `${to}attn_output.weight`, [hidden, queries]],
    [`${from}post_attention_layernorm.weight`, `${to}ffn_norm.weight`, [hidden]],
    [`${from}mlp.gate_proj.weight`, `${to}ffn_gate.weight`, [ffn, hidden]],
    [`${from}mlp.up_proj.weight`, `${to}ffn_up.weight`, [ffn, hidden]],
    [`${from}mlp.down_proj.weight`, `${to}ffn_down.weight`, [hidden, ffn]],
  ];
  return [
    ...layerRules(shape.layers, perLayer),
    rename(`${source}norm.weight`, `${target}output_norm.weight`, [hidden]),
  ];
}

/** `codebooks_head` [codebooks - 1, hidden, vocabulary] becomes one matrix per codebook, "depth.output.1" the first. */
function headRules({ codebooks, audioVocabSize, depth }: CsmConfig): TensorRule[] {
  const name = "depth_decoder.codebooks_head.weight";
  const shape = [codebooks - 1, depth.hiddenSize, audioVocabSize];
  return Array.from({ length: codebooks - 1 }, (_, first) => ({
    target: `depth.output.${first + 1}.weight`,
    shape: [audioVocabSize, depth.hiddenSize],
    from: [{ name, shape, rows: { first, count: 1 } }],
    compute: ([head]) => transposedHead(head!, depth.hiddenSize, audioVocabSize),
  }));
}

function ropeFactors(target: string, { rope, headDim }: TransformerShape): GeneratedTensor[] {
  if (!rope.llama3) return [];
  const data = llama3FrequencyFactors(rope.theta, headDim, rope.llama3);
  return [{ target: `${target}rope_freqs.weight`, shape: [headDim / 2], data }];
}
