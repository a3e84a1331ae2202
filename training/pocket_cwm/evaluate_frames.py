"""How many frames a PyTorch model of pocket-cwm's shape gets exactly right, each with the true frames before it.

Greedy decoding writes a frame exactly when every token of it is the likeliest one after the true tokens before it, so
one pass over a trace tells it all; the whole trace is right when all its frames are.
"""

import functools

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from held_out import held_out
from model import WINDOW, tables
from traces import document


@functools.lru_cache
def documents(tokenizer_path):
    tokenizer = Tokenizer.from_file(tokenizer_path)
    found = []
    for _, context, frames in held_out():
        prompt, rest = document(context, frames)
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in (prompt, rest)]
        found.append((ids[0] + ids[1], len(ids[0])))
    return found, tokenizer.token_to_id("<|frame_sep|>")


@torch.no_grad()
def frame_accuracy(model, tokenizer_path, count):
    """{"frames", "traces", "tokens"}: shares that are exactly right."""
    all_documents, separator = documents(str(tokenizer_path))
    dtype = model.embed_tokens.weight.dtype
    right_frames = frames = right_traces = right_tokens = tokens = 0
    for ids, start in all_documents[:count]:
        length = -(-len(ids) // WINDOW) * WINDOW
        padded = torch.tensor([ids + [0] * (length - len(ids))])
        hidden = model.hidden(padded, tables(length, 1, dtype))[0]
        best = F.linear(hidden, model.embed_tokens.weight).argmax(-1)
        wrong = False
        any_wrong = False
        for at in range(start, len(ids)):
            is_right = best[at - 1].item() == ids[at]
            tokens += 1
            right_tokens += is_right
            wrong |= not is_right
            if ids[at] == separator:
                frames += 1
                right_frames += not wrong
                any_wrong |= wrong
                wrong = False
        right_traces += not (any_wrong or wrong)
    return {"frames": right_frames / frames, "traces": right_traces / min(count, len(all_documents)), "tokens": right_tokens / tokens}
