"""The pocket CWM in plain PyTorch, with the parameter names transformers uses, so that a state dict is a checkpoint."""

import torch
import torch.nn.functional as F
from torch import nn

D, FF, H, KV, HD, WINDOW, THETA = 160, 416, 4, 2, 32, 64, 10000.0
LAYER_TYPES = ["sliding_attention", "full_attention"] * 5
EPSILON = 1e-5
PLAIN_UP_TO = 384
"""Positions up to which matrix products are faster on a CPU than PyTorch's fused attention, forwards and backwards."""


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def attend(q, k, v, mask):
    """Softmax attention in matrix products; mask is added to the scores. q [batch, head, query, HD]."""
    scores = (q @ k.transpose(-1, -2)) * HD**-0.5 + mask
    weights = torch.exp((scores - scores.amax(-1, keepdim=True).detach()).float())
    return (weights.to(v.dtype) @ v) / weights.sum(-1, keepdim=True).to(v.dtype)


class Attention(nn.Module):
    def __init__(self, is_full):
        super().__init__()
        self.is_full = is_full
        self.q_proj, self.k_proj, self.v_proj = linear(D, H * HD), linear(D, KV * HD), linear(D, KV * HD)
        self.o_proj = linear(H * HD, D)

    def forward(self, x, tables):
        cos, sin, window_mask, causal_mask = tables
        rows, length, _ = x.shape
        qkv = F.linear(x, torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight]))
        qk, v = qkv.view(rows, length, H + 2 * KV, HD).split([H + KV, KV], 2)
        a, b = qk.chunk(2, -1)
        q, k = torch.cat([a * cos - b * sin, b * cos + a * sin], -1).split([H, KV], 2)
        if self.is_full:
            q, k, v = (part.transpose(1, 2) for part in (q, k, v))
            k, v = k.repeat_interleave(H // KV, 1), v.repeat_interleave(H // KV, 1)
            if length <= PLAIN_UP_TO:
                y = attend(q, k, v, causal_mask)
            else:
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            y = y.transpose(1, 2)
        else:
            # each block of WINDOW positions looks at itself and at the block before it
            blocks = length // WINDOW
            kv = torch.stack([k, v]).reshape(2, rows, blocks, WINDOW, KV, HD)
            before = F.pad(kv, (0, 0, 0, 0, 0, 0, 1, 0))[:, :, :-1]
            kv = torch.cat([before, kv], 3).view(2, rows * blocks, 2 * WINDOW, KV, HD).transpose(2, 3)
            k, v = kv.repeat_interleave(H // KV, 2)
            q = q.reshape(rows * blocks, WINDOW, H, HD).transpose(1, 2)
            y = attend(q, k, v, window_mask).transpose(1, 2)
        return self.o_proj(y.reshape(rows, length, H * HD))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = linear(D, FF), linear(D, FF), linear(FF, D)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return F.rms_norm(x, (D,), self.weight, EPSILON)


class Layer(nn.Module):
    def __init__(self, is_full):
        super().__init__()
        self.self_attn, self.mlp = Attention(is_full), FeedForward()
        self.input_layernorm, self.post_attention_layernorm = Norm(), Norm()

    def forward(self, x, tables):
        x = x + self.self_attn(self.input_layernorm(x), tables)
        return x + self.mlp(self.post_attention_layernorm(x))


class PocketCwm(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, D)
        self.layers = nn.ModuleList(Layer(kind == "full_attention") for kind in LAYER_TYPES)
        self.norm = Norm()

    def hidden(self, tokens, tables):
        """[row, position] -> [row, position, D]; positions a multiple of WINDOW."""
        return self.norm(self.states(tokens, tables)[-1])

    def states(self, tokens, tables):
        """What comes out of the embedding and out of each layer: [row, position, D] each."""
        found = [self.embed_tokens(tokens)]
        for layer in self.layers:
            found.append(layer(found[-1], tables))
        return found


def tables(length, rows, dtype):
    """What attention needs for `rows` rows of `length` positions: cosines, sines, and the masks of both kinds."""
    frequencies = 1 / THETA ** (torch.arange(0, HD, 2) / HD)
    angles = torch.arange(length)[:, None, None] * frequencies
    i, j = torch.arange(WINDOW)[:, None], torch.arange(2 * WINDOW)[None] - WINDOW
    seen = (j <= i) & (j > i - WINDOW)
    window = torch.stack([seen & (j >= 0)] + [seen] * (length // WINDOW - 1)).repeat(rows, 1, 1)[:, None]
    causal = torch.ones(length, length).tril().bool()

    def added(mask):
        return torch.zeros(mask.shape).masked_fill(~mask, -1e9).to(dtype)

    return angles.cos().to(dtype), angles.sin().to(dtype), added(window), added(causal)
