"""Tiny CSM checkpoints: their shapes, their tokenizer and their weights.

Random weights, scaled so that greedy decoding has no near ties and can both stop by itself and run to the cap.
Used by make_csm_checkpoints.py (writes them) and make_csm_goldens.py (runs the PyTorch reference on them).
"""

import copy
import math

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import CsmConfig, CsmForConditionalGeneration, EncodecFeatureExtractor, PreTrainedTokenizerFast
from transformers import CsmProcessor

SPECIAL_TOKENS = ["<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|AUDIO|>", "<|audio_eos|>"]

# Byte pairs merged in this order; enough that "the", "and", "ing" are one token each.
MERGES = [("t", "h"), ("th", "e"), ("i", "n"), ("a", "n"), ("an", "d"), ("in", "g"), ("Ġ", "the"), ("h", "e"), ("o", "u"), ("e", "r")]

# The pre-tokenizer pattern of Llama 3 tokenizers.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- bos_token + '[' + message['role'] + ']' }}"
    "{%- for part in message['content'] %}{%- if part['type'] == 'text' %}{{- part['text'] }}{%- endif %}{%- endfor %}"
    "{{- eos_token }}"
    "{%- for part in message['content'] %}{%- if part['type'] == 'audio' %}{{- '<|AUDIO|><|audio_eos|>' }}{%- endif %}{%- endfor %}"
    "{%- endfor %}"
)

BACKBONE_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 32.0,
    "low_freq_factor": 0.125,
    "high_freq_factor": 0.5,
    "original_max_position_embeddings": 1024,
}
DEPTH_ROPE = {**BACKBONE_ROPE, "low_freq_factor": 0.001953125, "high_freq_factor": 0.0078125, "original_max_position_embeddings": 16}

# name -> shape of a checkpoint and how it is stored.
#   layout  "v5" writes rope_parameters, "v4" rope_theta + rope_scaling + torch_dtype
#   last_follows  whether the last codebook is zero in the frame that stops the run; the reference ignores it
#   tied    the depth decoder's embedding table: "both" stores a copy beside the backbone's, "absent" leaves it out,
#           "own" stores other values
#   shards  number of safetensors files; more than one uses the index name of the CSM repository
CHECKPOINTS = {
    "csm-six": {
        "seed": 24,
        "last_follows": False,
        "audio_gain": 1.0,
        "eos_gain": 2.5,
        "layout": "v5",
        "tied": "both",
        "shards": 1,
        "dtype": torch.bfloat16,
        "codebooks": 6,
        "codebook_size": 32,
        "backbone": {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 1},
        "depth": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2},
        "mimi": {"hidden_size": 32, "num_filters": 2, "num_hidden_layers": 2, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 4, "codebook_dim": 8, "sliding_window": 9},
    },
    "csm-eight": {
        "seed": 31,
        "last_follows": True,
        "audio_gain": 1.0,
        "eos_gain": 2.5,
        "layout": "v4",
        "tied": "absent",
        "shards": 1,
        "dtype": torch.bfloat16,
        "codebooks": 8,
        "codebook_size": 16,
        "backbone": {"hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 16},
        "depth": {"hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12},
        "mimi": {"hidden_size": 24, "num_filters": 3, "num_hidden_layers": 1, "intermediate_size": 40, "num_attention_heads": 3, "num_key_value_heads": 1, "codebook_dim": 12, "sliding_window": 14},
    },
    "csm-thirtytwo": {
        "seed": 21,
        "last_follows": True,
        "audio_gain": 0.3,
        "eos_gain": 1.2,
        "layout": "v5",
        "tied": "own",
        "shards": 3,
        "dtype": torch.float16,
        "codebooks": 32,
        "codebook_size": 16,
        "backbone": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2},
        "depth": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1},
        "mimi": {"hidden_size": 16, "num_filters": 2, "num_hidden_layers": 2, "intermediate_size": 24, "num_attention_heads": 2, "num_key_value_heads": 2, "codebook_dim": 8, "sliding_window": 250},
    },
    # Every size another than elsewhere: three ratios, odd halves of heads, full key and value heads in the depth decoder,
    # two residual blocks with their own dilation, grouped upsampling, two semantic codebooks, no projections around them.
    "csm-three": {
        "seed": 12,
        "last_follows": True,
        "audio_gain": 1.0,
        "eos_gain": 2.5,
        "layout": "v5",
        "tied": "own",
        "shards": 1,
        "dtype": torch.float32,
        "codebooks": 3,
        "codebook_size": 16,
        "backbone": {"hidden_size": 40, "intermediate_size": 56, "num_hidden_layers": 1, "num_attention_heads": 5, "num_key_value_heads": 1, "head_dim": 18},
        "depth": {"hidden_size": 20, "intermediate_size": 36, "num_hidden_layers": 1, "num_attention_heads": 3, "num_key_value_heads": 3, "head_dim": 6},
        "mimi": {"hidden_size": 20, "num_filters": 3, "num_hidden_layers": 1, "intermediate_size": 28, "num_attention_heads": 2, "num_key_value_heads": 2, "codebook_dim": 20, "sliding_window": 5, "upsampling_ratios": [12, 8, 10], "kernel_size": 5, "last_kernel_size": 4, "residual_kernel_size": 2, "num_residual_layers": 2, "dilation_growth_rate": 3, "compress": 1, "num_semantic_quantizers": 2, "upsample_groups": 4},
    },
}

# Ids of the audio vocabulary above the Mimi codes, as in the released model (2048 codes, 2051 ids).
RESERVED_CODES = 3


def build_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of the Llama 3 kind with the special tokens CSM uses."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: index for index, symbol in enumerate(alphabet)}
    for left, right in MERGES:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=MERGES, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|begin_of_text|>",
        eos_token="<|end_of_text|>",
        pad_token="<|finetune_right_pad_id|>",
        model_input_names=["input_ids", "attention_mask"],
    )


def build_processor() -> CsmProcessor:
    """Tokenizer, 24 kHz feature extractor and chat template, as CsmProcessor holds them."""
    extractor = EncodecFeatureExtractor(feature_size=1, sampling_rate=24000, padding_value=0.0)
    return CsmProcessor(extractor, build_tokenizer(), chat_template=CHAT_TEMPLATE)


def build_config(shape: dict, tokenizer: PreTrainedTokenizerFast) -> CsmConfig:
    """The configuration of one tiny checkpoint; every size not named in CHECKPOINTS keeps its default."""
    vocab_size = shape["codebook_size"] + RESERVED_CODES
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    mimi = {
        "model_type": "mimi",
        "codebook_size": shape["codebook_size"],
        "num_quantizers": shape["codebooks"],
        "vector_quantization_hidden_dimension": shape["mimi"]["codebook_dim"],
        "upsample_groups": shape["mimi"]["hidden_size"],
        **shape["mimi"],
    }
    depth = {
        "num_codebooks": shape["codebooks"],
        "vocab_size": vocab_size,
        "backbone_hidden_size": shape["backbone"]["hidden_size"],
        "max_position_embeddings": shape["codebooks"] + 1,
        "rope_parameters": dict(DEPTH_ROPE),
        **shape["depth"],
    }
    return CsmConfig(
        num_codebooks=shape["codebooks"],
        vocab_size=vocab_size,
        text_vocab_size=len(tokenizer),
        codebook_pad_token_id=vocab_size - 1,
        codebook_eos_token_id=0,
        audio_token_id=ids["<|AUDIO|>"],
        audio_eos_token_id=ids["<|audio_eos|>"],
        bos_token_id=ids["<|begin_of_text|>"],
        pad_token_id=ids["<|AUDIO|>"],
        rope_parameters=dict(BACKBONE_ROPE),
        depth_decoder_config=depth,
        codec_config=mimi,
        **shape["backbone"],
    )


def fill_weights(model: CsmForConditionalGeneration, shape: dict) -> None:
    """Fills every tensor from one seeded generator, then bends a few so that the run is well conditioned."""
    generator = torch.Generator().manual_seed(shape["seed"])

    def normal(size, std):
        return torch.randn(size, generator=generator) * std

    with torch.no_grad():
        for name, tensor in sorted(model.state_dict().items()):
            tensor.copy_(initial_value(name, tensor, normal, generator))
        model.backbone_model.embed_tokens.embed_audio_tokens.weight.mul_(shape["audio_gain"])
        make_eos_reachable(model, shape, normal)
        # Audio within the range of a WAV file.
        for tensor in model.codec_model.decoder.layers[-1].parameters():
            tensor.mul_(0.02)
        if shape["tied"] != "own":
            model.depth_decoder.model.embed_tokens.weight.copy_(model.backbone_model.embed_tokens.embed_audio_tokens.weight)
        # What is stored is what runs: the reference sees the values the file can hold.
        for name, tensor in model.state_dict().items():
            tensor.copy_(tensor.to(shape["dtype"]).to(torch.float32))
    for module in model.modules():
        if hasattr(module, "_embed"):
            module._embed = None


def initial_value(name: str, tensor: torch.Tensor, normal, generator) -> torch.Tensor:
    """One tensor's random values: unit-variance activations, logits with a spread of about four."""
    size = tuple(tensor.shape)
    if name.endswith("initialized"):
        return torch.ones(size)
    if name.endswith("cluster_usage"):
        usage = torch.rand(size, generator=generator) * 20 + 0.5
        # A dead entry: its usage is clamped to 1e-5 when the codebook is folded.
        usage[3] = 0.0
        return usage
    if name.endswith("embed_sum"):
        return codebook_sums(name, normal(size, 1.0))
    if name.endswith("layer_scale.scale"):
        return 0.4 + normal(size, 0.1)
    if "norm" in name:
        return normal(size, 0.1) if name.endswith("bias") else 1.0 + normal(size, 0.2)
    if name.endswith("bias"):
        return normal(size, 0.1)
    if name == "embed_text_tokens.weight":
        return normal(size, 1.5)
    if name.endswith("embed_audio_tokens.weight") or name.endswith("depth_decoder.model.embed_tokens.weight"):
        return normal(size, 1.0)
    if name == "lm_head.weight":
        return normal(size, 4.0 / math.sqrt(size[1]))
    if name.endswith("codebooks_head.weight"):
        return normal(size, 4.0 / math.sqrt(size[1]))
    if ".conv.weight" in name:
        return conv_weight(name, normal, size)
    return normal(size, 1.3 / math.sqrt(math.prod(size[1:])))


def conv_weight(name: str, normal, size) -> torch.Tensor:
    """Convolution kernels that keep the variance of what passes through; transposed ones see two taps per output."""
    if name.startswith("codec_model.upsample"):
        return normal(size, 0.8)
    transposed = name.startswith("codec_model.decoder.layers") and size[2] >= 8 and "block" not in name
    taps = 2 * size[0] if transposed else size[1] * size[2]
    return normal(size, 1.4 / math.sqrt(taps))


def codebook_sums(name: str, vectors: torch.Tensor) -> torch.Tensor:
    """Codebook vectors that shrink by a quarter over the first residual stages; the dead entry's sum is tiny, as training leaves it."""
    stage = int(name.split(".layers.")[1].split(".")[0])
    sums = vectors * 8.0 * 0.75 ** min(stage, 6)
    sums[3] = sums[3] * 1e-6
    return sums


def make_eos_reachable(model: CsmForConditionalGeneration, shape: dict, normal) -> None:
    """Ties code 0 to code 0: once codebook 0 picks it, the depth decoder follows, which is the end of speech.

    Row 0 of every codebook points along one direction u; every depth head's column 0 answers to the projection of u.
    Reserved ids get a zero logit, which never wins.
    """
    config = model.config
    audio = model.backbone_model.embed_tokens.embed_audio_tokens.weight
    if shape["tied"] == "own":
        audio = model.depth_decoder.model.embed_tokens.weight
    direction = normal((config.hidden_size,), 1.0)
    direction = direction / direction.norm() * math.sqrt(config.hidden_size)
    for codebook in range(config.num_codebooks):
        audio[codebook * config.vocab_size] = shape["eos_gain"] * direction
    projected = model.depth_decoder.model.inputs_embeds_projector.weight @ direction
    projected = projected / projected.norm()
    heads = model.depth_decoder.codebooks_head.weight
    heads[:, :, 0] = 6.0 * projected
    if not shape["last_follows"]:
        heads[-1, :, 0] *= -1.0
    heads[:, :, -RESERVED_CODES:] = 0.0
    model.lm_head.weight[-RESERVED_CODES:] = 0.0


def build_model(shape: dict, tokenizer: PreTrainedTokenizerFast) -> CsmForConditionalGeneration:
    """The float32 model of one tiny checkpoint, with generation defaults as the released model has them."""
    model = CsmForConditionalGeneration(build_config(shape, tokenizer)).eval()
    fill_weights(model, shape)
    model.generation_config.max_new_tokens = 125
    model.generation_config.do_sample = True
    model.generation_config.temperature = 0.9
    model.generation_config.top_k = 50
    model.depth_decoder.generation_config.do_sample = True
    model.depth_decoder.generation_config.temperature = 0.9
    model.depth_decoder.generation_config.top_k = 50
    return model


def v4_config(config: dict) -> dict:
    """The same configuration in the layout transformers wrote before version 5."""
    old = copy.deepcopy(config)
    for part in (old, old["depth_decoder_config"], old["codec_config"]):
        rope = part.pop("rope_parameters")
        part["rope_theta"] = rope.pop("rope_theta")
        part["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    old["torch_dtype"] = "bfloat16"
    old["codec_config"].pop("_frame_rate", None)
    old["codec_config"]["frame_rate"] = 12.5
    old["codec_config"].pop("rope_scaling")
    old["transformers_version"] = "4.56.2"
    return old
