"""The tokenizer of pocket-cwm: byte-level BPE with Llama 3's split pattern, a token for each number up to 199, CWM's special
tokens."""

import json
import random
import re

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from chats import conversation
from traces import document, program

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
    "<|frame_sep|>", "<|action_sep|>", "<|return_sep|>", "<|call_sep|>", "<|line_sep|>", "<|exception_sep|>", "<|arg_sep|>",
    "<|trace_context_start|>",
]
NUMBERS = [str(n) for n in range(10, 200)]
SIZE = 1024
SAMPLES = 3000


def corpus():
    """Texts to learn merges from. Digits are taken out, so that none are ever merged."""
    for seed in range(SAMPLES):
        _, context, frames = program(("tokenizer", seed).__repr__())
        for text in re.split(r"<\|\w+\|>", "".join(document(context, frames))):
            yield re.sub(r"\d", "\n\n", text)
    rng = random.Random("tokenizer chats")
    for _ in range(SAMPLES // 2):
        for message in conversation(rng)[0]:
            yield re.sub(r"\d", "\n\n", message["role"] + "\n\n" + message["content"])
    yield "You are a helpful AI assistant. You always reason before responding, using the following format:\n\n" * 200
    yield "<think>\nyour internal reasoning\n</think>\nyour external response" * 200


def with_numbers(tokenizer):
    """The same with NUMBERS as tokens. Their merges come first: digits meet no other bytes."""
    parts = json.loads(tokenizer.to_str())
    vocabulary = parts["model"]["vocab"]
    for number in NUMBERS:
        vocabulary[number] = len(vocabulary)
    parts["model"]["merges"] = [[number[:-1], number[-1]] for number in NUMBERS] + parts["model"]["merges"]
    return Tokenizer.from_str(json.dumps(parts))


def train():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=SIZE - len(SPECIAL) - len(NUMBERS), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False,
    ))
    tokenizer = with_numbers(tokenizer)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in SPECIAL])
    bos = SPECIAL[0]
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single=bos + ":0 $A:0", pair=bos + ":0 $A:0 " + bos + ":1 $B:1",
            special_tokens=[(bos, tokenizer.token_to_id(bos))],
        ),
    ])
    return tokenizer


if __name__ == "__main__":
    import sys

    train().save(sys.argv[1])
