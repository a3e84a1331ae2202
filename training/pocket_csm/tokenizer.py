"""The text tokenizer: byte-level BPE split as Llama 3 does, its merges learnt from the training sentences."""

import random

from sentences import held_out, sentence
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CsmProcessor, EncodecFeatureExtractor, PreTrainedTokenizerFast

SEED = 31
SPECIAL_TOKENS = ["<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|AUDIO|>", "<|audio_eos|>"]
SIZE = 640
"""Bytes and merges."""

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


def build_tokenizer() -> PreTrainedTokenizerFast:
    """The same tokenizer every time: sentences without their speaker, so that "]" never merges with a word."""
    rng, unseen = random.Random(SEED), held_out()
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([sentence(rng, unseen)[0] for _ in range(20000)], trainer)
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
