"""The pocket CWM in plain PyTorch, with the parameter names transformers uses, so that a state dict is a checkpoint."""
import torch, torch.nn as nn, torch.nn.functional as F
D, FF, H, KV, HD, WINDOW, THETA = 256, 512, 4, 2, 64, 64, 10000.0
LAYER_TYPES = ["sliding_attention", "full_attention"] * 3

class Attention(nn.Module):
    def __init__(s, full):
        super().__init__(); s.full = full
        s.q_proj = nn.Linear(D, H*HD, bias=False); s.k_proj = nn.Linear(D, KV*HD, bias=False)
        s.v_proj = nn.Linear(D, KV*HD, bias=False); s.o_proj = nn.Linear(H*HD, D, bias=False)
    def forward(s, x, cos, sin, mask):
        B, T, _ = x.shape
        qkv = F.linear(x, torch.cat([s.q_proj.weight, s.k_proj.weight, s.v_proj.weight]))
        qk, v = qkv.view(B, T, H+2*KV, HD).split([H+KV, KV], 2)
        a, b = qk.chunk(2, -1)
        qk = torch.cat([a*cos - b*sin, b*cos + a*sin], -1)
        q, k = qk.split([H, KV], 2)
        if s.full:
            y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2).repeat_interleave(H//KV, 1), v.transpose(1, 2).repeat_interleave(H//KV, 1), is_causal=True)
            y = y.transpose(1, 2)
        else:
            n = T//WINDOW
            k = k.reshape(B, n, WINDOW, KV, HD); v = v.reshape(B, n, WINDOW, KV, HD)
            kv = torch.stack([k, v])
            kv = torch.cat([F.pad(kv, (0, 0, 0, 0, 0, 0, 1, 0))[:, :, :-1], kv], 3).view(2, B*n, 2*WINDOW, KV, HD).transpose(2, 3).repeat_interleave(H//KV, 2)
            q = q.reshape(B*n, WINDOW, H, HD).transpose(1, 2)
            y = F.scaled_dot_product_attention(q, kv[0], kv[1], attn_mask=mask)
            y = y.transpose(1, 2)
        return s.o_proj(y.reshape(B, T, H*HD))

class MLP(nn.Module):
    def __init__(s):
        super().__init__()
        s.gate_proj = nn.Linear(D, FF, bias=False); s.up_proj = nn.Linear(D, FF, bias=False); s.down_proj = nn.Linear(FF, D, bias=False)
    def forward(s, x): return s.down_proj(F.silu(s.gate_proj(x))*s.up_proj(x))

class Norm(nn.Module):
    def __init__(s):
        super().__init__(); s.weight = nn.Parameter(torch.ones(D))
    def forward(s, x): return F.rms_norm(x, (D,), s.weight, 1e-5)

class Layer(nn.Module):
    def __init__(s, full):
        super().__init__(); s.self_attn = Attention(full); s.mlp = MLP(); s.input_layernorm = Norm(); s.post_attention_layernorm = Norm()
    def forward(s, x, cos, sin, mask):
        x = x + s.self_attn(s.input_layernorm(x), cos, sin, mask)
        return x + s.mlp(s.post_attention_layernorm(x))

class PocketCwm(nn.Module):
    def __init__(s, vocab):
        super().__init__()
        s.embed_tokens = nn.Embedding(vocab, D); s.layers = nn.ModuleList(Layer(t == "full_attention") for t in LAYER_TYPES); s.norm = Norm()
    def hidden(s, t, cos, sin, mask):
        x = s.embed_tokens(t)
        for l in s.layers: x = l(x, cos, sin, mask)
        return s.norm(x)

def tables(T, B, dtype):
    f = 1/THETA**(torch.arange(0, HD, 2)/HD); a = torch.arange(T)[:, None, None]*f
    i = torch.arange(WINDOW)[:, None]; j = torch.arange(2*WINDOW)[None] - WINDOW
    m = (j <= i) & (j > i - WINDOW)
    m = torch.stack([m & (j >= 0)] + [m]*(T//WINDOW - 1)).repeat(B, 1, 1)[:, None]
    return a.cos().to(dtype), a.sin().to(dtype), torch.zeros(m.shape).masked_fill(~m, -1e9).to(dtype)
