"""Configuration of the language model, and the whole checkpoint put together."""

from codec import CODEBOOK, CODEBOOKS, CONFIG
from transformers import CsmConfig, CsmForConditionalGeneration

RESERVED_CODES = 3
"""Ids of the audio vocabulary above the codes, as in the released model."""
VOCABULARY = CODEBOOK + RESERVED_CODES

BACKBONE_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 32.0,
    "low_freq_factor": 0.125,
    "high_freq_factor": 0.5,
    "original_max_position_embeddings": 1024,
}
DEPTH_ROPE = {
    **BACKBONE_ROPE,
    "low_freq_factor": 0.001953125,
    "high_freq_factor": 0.0078125,
    "original_max_position_embeddings": 16,
}
BACKBONE = {
    "hidden_size": 192,
    "intermediate_size": 448,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 48,
}
DEPTH = {
    "hidden_size": 128,
    "intermediate_size": 320,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}


def build_config(tokenizer) -> CsmConfig:
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    ids |= {token: tokenizer.convert_tokens_to_ids(token) for token in ("<|AUDIO|>", "<|audio_eos|>")}
    depth = {
        "num_codebooks": CODEBOOKS,
        "vocab_size": VOCABULARY,
        "backbone_hidden_size": BACKBONE["hidden_size"],
        "max_position_embeddings": CODEBOOKS + 1,
        "rope_parameters": dict(DEPTH_ROPE),
        **DEPTH,
    }
    return CsmConfig(
        num_codebooks=CODEBOOKS,
        vocab_size=VOCABULARY,
        text_vocab_size=len(tokenizer),
        codebook_pad_token_id=VOCABULARY - 1,
        codebook_eos_token_id=0,
        audio_token_id=ids["<|AUDIO|>"],
        audio_eos_token_id=ids["<|audio_eos|>"],
        bos_token_id=ids["<|begin_of_text|>"],
        pad_token_id=ids["<|AUDIO|>"],
        rope_parameters=dict(BACKBONE_ROPE),
        depth_decoder_config=depth,
        codec_config={"model_type": "mimi", **CONFIG},
        **BACKBONE,
    )


def build_model(tokenizer) -> CsmForConditionalGeneration:
    """The untrained model; the depth decoder's embedding table is the backbone's, which transformers 5.18 leaves to us."""
    model = CsmForConditionalGeneration(build_config(tokenizer))
    model.depth_decoder.model.embed_tokens.weight = model.backbone_model.embed_tokens.embed_audio_tokens.weight
    return model
