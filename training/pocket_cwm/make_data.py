"""Write training data: python make_data.py TOKENIZER OUT FIRST LAST [DRILLS]

Programs number FIRST to LAST - 1 as traces, the share DRILLS of them very short ones (drills.py), one conversation in place
of every CHAT_EVERY-th. OUT.npz holds `tokens` (all documents one after another), `learn` (is this token predicted by the
model at work?) and `starts`. Programs of the held-out set (held_out.py) are left out.
"""

import random
import sys
from pathlib import Path

import numpy as np
from jinja2 import Template
from tokenizers import Tokenizer

from chats import conversation
from held_out import held_out_sources
from traces import document, program

CHAT_EVERY = 8
LONGEST = 768


def chat_parts(template, seed):
    """[(text, is it the assistant's?)] of a conversation, special tokens as their strings."""
    messages, thinking = conversation(random.Random("chat %d" % seed))
    parts, before = [], ""
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = template.render(messages=messages[:at], add_generation_prompt=True, enable_thinking=thinking)
        whole = template.render(messages=messages[: at + 1], enable_thinking=thinking)
        assert prompt.startswith(before) and whole.startswith(prompt)
        parts += [(prompt[len(before) :], False), (whole[len(prompt) :], True)]
        before = whole
    return parts


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    template = Template((Path(__file__).parent / "chat_template.jinja").read_text())
    left_out = held_out_sources()
    drills = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    tokens, learn, starts, size = [], [], [], 0
    for seed in range(int(sys.argv[3]), int(sys.argv[4])):
        if seed % CHAT_EVERY == 0:
            parts = chat_parts(template, seed)
        else:
            source, context, frames = program(seed, drills)
            if source in left_out:
                continue
            prompt, rest = document(context, frames)
            parts = [(prompt, False), (rest, True)]
        ids, flags = [], []
        for text, is_learnt in parts:
            part = tokenizer.encode(text, add_special_tokens=False).ids
            ids += part
            flags += [is_learnt] * len(part)
        if len(ids) > LONGEST:
            continue
        starts.append(size)
        size += len(ids)
        tokens.append(np.array(ids, np.uint16))
        learn.append(np.array(flags))
    np.savez(sys.argv[2], tokens=np.concatenate(tokens), learn=np.concatenate(learn), starts=np.array(starts + [size]))
    print(f"{len(starts):,} documents, {size:,} tokens")


if __name__ == "__main__":
    main()
