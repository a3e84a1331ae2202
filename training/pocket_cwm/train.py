"""Train pocket-cwm: python train.py DATA.npz... --drills DRILLS.npz --out RUN.pt --minutes M

The first tenth of the time goes to the short programs of DRILLS.npz alone.

The learning rate falls evenly to nothing over the time given. Weights are float32, the arithmetic is
bfloat16. Matrices are stepped by Muon, the embedding and the norms by AdamW. RUN.pt is written every few minutes and is
where a next run begins (--start).
"""

import argparse
import functools
import time

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from evaluate_frames import frame_accuracy
from model import D, PocketCwm, tables
from tokenizer import NUMBERS, SIZE

LENGTHS = [128, 192, 256, 320, 384, 512, 768]
"""Positions of a row. Each has its own compiled graph."""
POSITIONS = 8192
"""Positions of a batch, padding included."""
PERIODS = [2, 3, 4, 5, 7, 10, 20, 50, 100, 200, 400]
"""Of the waves that numbers begin as (add_number_waves)."""
POOL = 3000
"""Documents that batches of alike length are made from."""


def read(paths):
    """[(tokens, is each learnt?)]"""
    documents = []
    for path in paths:
        with np.load(path) as data:
            tokens, learn, starts = data["tokens"].astype(np.int64), data["learn"], data["starts"]
        documents += [(tokens[a:b], learn[a:b]) for a, b in zip(starts[:-1], starts[1:])]
    return documents


def batches(paths, seed):
    """Endless (tokens, labels) of a document a row, documents of alike length together, in a new order each time."""
    rng = np.random.default_rng(seed)
    documents = read(paths)
    while True:
        order = rng.permutation(len(documents))
        for first in range(0, len(order), POOL):
            groups = {length: [] for length in LENGTHS}
            found = []
            for index in order[first : first + POOL]:
                length = next(length for length in LENGTHS if length >= len(documents[index][0]))
                groups[length].append(documents[index])
                if len(groups[length]) == POSITIONS // length:
                    found.append(batch(groups[length], length))
                    groups[length] = []
            yield from found


def batch(documents, length):
    tokens = np.zeros((len(documents), length), np.int64)
    labels = np.full((len(documents), length), -100, np.int64)
    for row, (ids, learn) in enumerate(documents):
        tokens[row, : len(ids)] = ids
        labels[row, : len(ids) - 1] = np.where(learn, ids, -100)[1:]
    return torch.from_numpy(tokens), torch.from_numpy(labels)


@torch.no_grad()
def add_number_waves(embedding, tokenizer, seed):
    """Numbers begin as sines and cosines of their value, in random directions: sums and remainders are turns then.

    embedding: [token, D], changed in place; each wave vector is 0.8 times as long as an average row
    """
    numbers = torch.arange(int(NUMBERS[-1]) + 1)
    ids = [tokenizer.token_to_id(str(number)) for number in numbers.tolist()]
    angles = 2 * torch.pi * numbers[:, None] / torch.tensor(PERIODS)
    directions = torch.linalg.qr(torch.randn(D, 2 * len(PERIODS), generator=torch.Generator().manual_seed(seed)))[0].T
    waves = F.normalize(torch.cat([angles.cos(), angles.sin()], 1) @ directions, dim=1)
    embedding[ids] += 0.8 * embedding.norm(dim=1).mean() * waves


def orthogonalise(g):
    """The nearest matrix with all singular values about 1 (Newton-Schulz)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    if g.shape[0] > g.shape[1]:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        y = x @ x.T
        x = a * x + (b * y + c * y @ y) @ x
    return (x.T if g.shape[0] > g.shape[1] else x).float()


class Optimiser:
    """float32 copies of a bfloat16 model's parameters, and the steps on them."""

    def __init__(self, model):
        self.parameters = list(model.parameters())
        self.masters = [p.detach().float().clone() for p in self.parameters]
        self.is_matrix = [p.ndim == 2 and p.shape[0] != SIZE for p in self.parameters]
        self.first = [torch.zeros_like(m) for m in self.masters]
        self.second = [torch.zeros_like(m) for m in self.masters]
        self.count = 0

    @torch.no_grad()
    def step(self, rate):
        """@param rate from 0 to 1"""
        self.count += 1
        gradients = [p.grad.float() for p in self.parameters]
        norm = torch.stack([g.norm() for g in gradients]).norm()
        scale = min(1.0, 1.0 / (norm.item() + 1e-6))
        for p, w, g, m, v, is_matrix in zip(self.parameters, self.masters, gradients, self.first, self.second, self.is_matrix):
            if is_matrix:
                m.mul_(0.95).add_(g, alpha=0.05)
                update = orthogonalise(g * 0.05 + m * 0.95)
                w.mul_(1 - rate * 0.02 * 0.05)
                w.sub_(update, alpha=rate * 0.02 * max(1.0, w.shape[0] / w.shape[1]) ** 0.5)
            else:
                g = g * scale
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.98).addcmul_(g, g, value=0.02)
                update = (m / (1 - 0.9**self.count)) / ((v / (1 - 0.98**self.count)).sqrt() + 1e-9)
                w.sub_(update, alpha=rate * 0.004)
            p.copy_(w)
            p.grad = None
        return norm.item()

    def state(self):
        return {"masters": self.masters, "first": self.first, "second": self.second, "count": self.count}

    @torch.no_grad()
    def load(self, state):
        for name in ("masters", "first", "second"):
            for mine, given in zip(getattr(self, name), state[name], strict=True):
                mine.copy_(given)
        self.count = state["count"]
        for p, w in zip(self.parameters, self.masters):
            p.copy_(w)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--drills", help="data of the first --drill-share of the time")
    parser.add_argument("--drill-share", type=float, default=0.1)
    parser.add_argument("--start")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1.0, help="the largest; falls evenly to nothing")
    parser.add_argument("--warmup", type=int, default=100, help="steps until then")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokenizer", required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = PocketCwm(SIZE)
    for parameter in model.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.02 if parameter.shape[0] == SIZE else D**-0.5 / 2)
    add_number_waves(model.embed_tokens.weight, Tokenizer.from_file(options.tokenizer), options.seed)
    model.bfloat16()
    optimiser = Optimiser(model)
    if options.start:
        optimiser.load(torch.load(options.start))

    @functools.cache
    def tables_of(rows, length):
        return tables(length, rows, torch.bfloat16)

    def loss_of(tokens, labels, attention_tables):
        hidden = model.hidden(tokens, attention_tables).reshape(-1, D)
        return F.cross_entropy(F.linear(hidden, model.embed_tokens.weight).float(), labels.reshape(-1), ignore_index=-100)

    compiled = torch.compile(loss_of, dynamic=False)
    source = batches([options.drills] if options.drills else options.data, options.seed + optimiser.count)
    is_drilling = bool(options.drills)
    began, seen, running, saved = time.monotonic(), 0, None, time.monotonic()
    step = 0
    while True:
        done = (time.monotonic() - began) / (60 * options.minutes)
        if done >= 1:
            break
        rate = options.rate * min((step + 1) / options.warmup, max(1 - done, 0.01))
        if is_drilling and done > options.drill_share:
            is_drilling = False
            source = batches(options.data, options.seed + optimiser.count)
        tokens, labels = next(source)
        loss = compiled(tokens, labels, tables_of(*tokens.shape))
        loss.backward()
        norm = optimiser.step(rate)
        step += 1
        seen += (tokens != 0).sum().item()
        running = loss.item() if running is None else 0.97 * running + 0.03 * loss.item()
        if step % 50 == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"{minutes:.1f} min step {step} tokens {seen / 1e6:.1f}M loss {running:.4f} norm {norm:.2f} rate {rate:.2f} {seen / minutes / 60:.0f} tok/s", flush=True)
        if time.monotonic() - saved > 300 or step == 200:
            saved = time.monotonic()
            torch.save(optimiser.state(), options.out)
            print("  held out:", frame_accuracy(model, options.tokenizer, 60), flush=True)
    torch.save(optimiser.state(), options.out)
    print("  held out:", frame_accuracy(model, options.tokenizer, 500), flush=True)


if __name__ == "__main__":
    main()
