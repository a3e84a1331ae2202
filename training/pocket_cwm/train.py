"""Train pocket-cwm: python train.py DATA.npz... --drills DRILLS.npz --out RUN.pt --minutes M

The first tenth of the time goes to the short programs of DRILLS.npz alone.

Besides the next token, what a source line reads is learnt from a layer in the middle, and what comes of the line from a
later one (steps.py); the heads for that are no part of the checkpoint.

The learning rate falls evenly to nothing over the time given. Weights are float32, the arithmetic is
bfloat16. Matrices are stepped by Muon, the embedding and the norms by AdamW. RUN.pt is written every few minutes and is
where a next run begins (--from). On several cores: torchrun --nproc-per-node N train.py ...; each takes its share of a
batch's rows, and gradients are averaged.
"""

import argparse
import functools
import os
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn

from evaluate_frames import frame_accuracy
from model import D, PocketCwm, linear, tables
from steps import CLASSES
from tokenizer import NUMBERS, SIZE

LENGTHS = [128, 192, 256, 320, 384, 512, 768]
"""Positions of a row. Each has its own compiled graph."""
POSITIONS = 8192
"""Positions of a batch on each core, padding included."""
PERIODS = [2, 3, 4, 5, 7, 10, 20, 50, 100, 200, 400]
"""Of the waves that numbers begin as (add_number_waves)."""
POOL = 3000
"""Documents that batches of alike length are made from."""
READ_AFTER, RESULT_AFTER = 6, 8
"""Layers after which the values a line reads, and what comes of it, are asked for."""


def read(paths):
    """[(tokens, labels of the next token, of what is read, of what comes of it)], -100 where there is none"""
    documents = []
    for path in paths:
        with np.load(path) as data:
            tokens, starts = data["tokens"].astype(np.int16), data["starts"]
            following = np.append(np.where(data["learn"], tokens, -100)[1:], -100).astype(np.int16)
            following[starts[1:] - 1] = -100
            columns = [tokens, following, *(np.where(data[name] < 0, -100, data[name]) for name in ("read", "results"))]
        documents += [[column[a:b] for column in columns] for a, b in zip(starts[:-1], starts[1:])]
    return documents


def batches(paths, seed, rank, ranks):
    """Endless batches of a document a row, documents of alike length together, in a new order each time: this rank's rows."""
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
                if len(groups[length]) == POSITIONS // length * ranks:
                    found.append(batch(groups[length][rank::ranks], length))
                    groups[length] = []
            yield from found


def batch(documents, length):
    """[4, row, position]: the tokens, and the three kinds of labels"""
    rows = np.full((4, len(documents), length), -100, np.int64)
    rows[0] = 0
    for row, document in enumerate(documents):
        rows[:, row, : len(document[0])] = document
    return torch.from_numpy(rows)


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


class StepHeads(nn.Module):
    """Tell from a hidden state what is read and what comes of it."""

    def __init__(self):
        super().__init__()
        self.read, self.result = linear(D, CLASSES), linear(D, CLASSES)


def total_loss(logits, labels):
    return F.cross_entropy(logits.float(), labels.reshape(-1), ignore_index=-100, reduction="sum")


class Optimiser:
    """float32 copies of a bfloat16 model's parameters, and the steps on them."""

    def __init__(self, model):
        self.parameters = list(model.parameters())
        self.masters = [p.detach().float().clone() for p in self.parameters]
        self.is_matrix = [p.ndim == 2 and p.shape[0] not in (SIZE, CLASSES) for p in self.parameters]
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
    parser.add_argument("--from", dest="start", help="a RUN.pt, or a checkpoint's model.safetensors")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1.0, help="the largest; falls evenly to nothing")
    parser.add_argument("--warmup", type=int, default=100, help="steps until then")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step-weight", type=float, default=0.5, help="of the loss of steps.py")
    parser.add_argument("--tokenizer", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    if ranks > 1:
        dist.init_process_group("gloo")
    rank = dist.get_rank() if ranks > 1 else 0
    model, heads = PocketCwm(SIZE), StepHeads()
    for parameter in model.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=0.02 if parameter.shape[0] == SIZE else D**-0.5 / 2)
    add_number_waves(model.embed_tokens.weight, Tokenizer.from_file(options.tokenizer), options.seed)
    if options.start and options.start.endswith(".safetensors"):
        model.load_state_dict({name.removeprefix("model."): w.float() for name, w in load_file(options.start).items()})
    model.bfloat16()
    heads.bfloat16()
    optimisers = [Optimiser(model), Optimiser(heads)]
    if options.start and options.start.endswith(".pt"):
        saved_state = torch.load(options.start)
        optimisers[0].load(saved_state)
        if "heads" in saved_state:
            optimisers[1].load(saved_state["heads"])

    def save():
        torch.save({**optimisers[0].state(), "heads": optimisers[1].state()}, options.out)

    @functools.cache
    def tables_of(rows, length):
        return tables(length, rows, torch.bfloat16)

    def loss_of(tokens, following, read, results, attention_tables):
        states = model.states(tokens, attention_tables)
        hidden = model.norm(states[-1]).reshape(-1, D)
        learnt = (following >= 0).sum()
        loss = total_loss(F.linear(hidden, model.embed_tokens.weight), following)
        of_read, of_result = (
            total_loss(head(F.rms_norm(states[after], (D,)).reshape(-1, D)), labels)
            for head, after, labels in ((heads.read, READ_AFTER, read), (heads.result, RESULT_AFTER, results))
        )
        parts = torch.stack([loss / learnt, of_read / (read >= 0).sum(), of_result / (results >= 0).sum()]).detach()
        return (loss + options.step_weight * (of_read + of_result)) / learnt, parts

    def average_gradients(done):
        """Over all ranks; also of the share of the time that is done, so that all stop together."""
        gradients = [p.grad for optimiser in optimisers for p in optimiser.parameters]
        flat = torch.cat([*(g.flatten().float() for g in gradients), torch.tensor([done])])
        dist.all_reduce(flat)
        flat /= ranks
        for g, part in zip(gradients, flat[:-1].split([g.numel() for g in gradients])):
            g.copy_(part.view_as(g))
        return flat[-1].item()

    compiled = torch.compile(loss_of, dynamic=False)
    count = optimisers[0].count
    source = batches([options.drills] if options.drills else options.data, options.seed + count, rank, ranks)
    is_drilling = bool(options.drills)
    began, seen, running, saved = time.monotonic(), 0, None, time.monotonic()
    step = 0
    done = 0.0
    while done < 1:
        if is_drilling and done > options.drill_share:
            is_drilling = False
            source = batches(options.data, options.seed + count, rank, ranks)
        rows = next(source)
        loss, parts = compiled(*rows, tables_of(*rows[0].shape))
        loss.backward()
        done = (time.monotonic() - began) / (60 * options.minutes)
        if ranks > 1:
            done = average_gradients(done)
        rate = options.rate * min((step + 1) / options.warmup, max(1 - done, 0.01))
        norm = [optimiser.step(rate) for optimiser in optimisers][0]
        step += 1
        if rank > 0:
            continue
        seen += ranks * (rows[0] != 0).sum().item()
        parts = parts.nan_to_num(0)
        running = parts if running is None else 0.97 * running + 0.03 * parts
        if step % 50 == 0:
            minutes = (time.monotonic() - began) / 60
            losses = " ".join("%.4f" % part for part in running.tolist())
            print(f"{minutes:.1f} min step {step} tokens {seen / 1e6:.1f}M loss {losses} norm {norm:.2f} rate {rate:.2f} {seen / minutes / 60:.0f} tok/s", flush=True)
        if time.monotonic() - saved > 300 or step == 200:
            saved = time.monotonic()
            save()
            print("  held out:", frame_accuracy(model, options.tokenizer, 60), flush=True)
    if rank == 0:
        save()
        print("  held out:", frame_accuracy(model, options.tokenizer, 500), flush=True)


if __name__ == "__main__":
    main()
