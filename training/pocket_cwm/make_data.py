"""Write training data: python make_data.py TOKENIZER OUT FIRST LAST [DRILLS]

Programs number FIRST to LAST - 1 as traces, the share DRILLS of them very short ones (drills.py), one conversation in place
of every CHAT_EVERY-th. OUT.npz holds `tokens` (all documents one after another), `learn` (is this token predicted by the
model at work?), `read` and `results` (what steps.py says of source lines, -1 elsewhere) and `starts`. Programs of the
held-out set (held_out.py) are left out.
"""

import random
import sys
from pathlib import Path

import numpy as np
from jinja2 import Template
from tokenizers import Tokenizer

from chats import conversation
from held_out import held_out_sources
from steps import label, steps
from traces import document, frame_text, program, shown_line

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


def step_labels(encoding, frames):
    """(read, results) of the tokens that the frames' text became."""
    read, results = [-1] * len(encoding.ids), [-1] * len(encoding.ids)
    ends = {end: place for place, (_, end) in enumerate(encoding.offsets)}
    marked_line, start = frames[0]["line"], 0
    for frame, (values, result) in zip(frames, steps(frames)):
        text, source = frame_text(frame, marked_line), shown_line(frame, marked_line)
        at = start + text.index("<|action_sep|>") + len("<|action_sep|>")
        own = {end - at: place for end, place in ends.items() if at < end <= at + len(source)}
        label(source, own, values, result, read, results)
        start += len(text)
    return read, results


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    template = Template((Path(__file__).parent / "chat_template.jinja").read_text())
    left_out = held_out_sources()
    drills = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    tokens, learn, read, results, starts, size = [], [], [], [], [], 0
    for seed in range(int(sys.argv[3]), int(sys.argv[4])):
        frames = []
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
            encoding = tokenizer.encode(text, add_special_tokens=False)
            ids += encoding.ids
            flags += [is_learnt] * len(encoding.ids)
        if len(ids) > LONGEST:
            continue
        starts.append(size)
        size += len(ids)
        tokens.append(np.array(ids, np.uint16))
        learn.append(np.array(flags))
        labels = step_labels(encoding, frames) if frames else ([-1] * len(encoding.ids),) * 2
        for kind, found in zip((read, results), labels):
            kind.append(np.array([-1] * (len(ids) - len(found)) + found, np.int16))
    columns = {"tokens": tokens, "learn": learn, "read": read, "results": results}
    np.savez(sys.argv[2], starts=np.array(starts + [size]), **{name: np.concatenate(parts) for name, parts in columns.items()})
    print(f"{len(starts):,} documents, {size:,} tokens")


if __name__ == "__main__":
    main()
