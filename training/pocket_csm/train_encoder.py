"""Trains the codec's encoder and codebooks on WORK/codec.npz: every frame's codes have to tell its log mels.

No decoder takes part, so that codes hold what is heard and no phase, which makes them easier to predict; the decoder
learns to turn them into sound afterwards (train_decoder.py). Goes on from WORK/codec.pt if it is there.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from codec import CODEBOOK, CODEBOOKS, Quantiser, build, latents
from spectra import HOP, MELS, Spectra, unit_variance
from speech import FRAME
from torch import nn
from training_run import LOG_EVERY, SAVE_EVERY, TrainingRun

SEED = 21
FRAMES = 12
"""Frames of one crop."""
FREE_STEPS = 150
"""Steps in which nothing is quantised."""
RATE_MAX = 1.2e-3


def crops(data, rng: np.random.Generator, count: int) -> torch.Tensor:
    """[count, 1, FRAMES * FRAME] samples; four in ten begin where their utterance does, as in use."""
    samples, starts = data
    out = np.zeros((count, 1, FRAMES * FRAME), dtype=np.float32)
    for row in out:
        k = rng.integers(len(starts) - 1)
        begin, end = starts[k], starts[k + 1]
        if rng.random() > 0.4:
            begin += rng.integers(max(end - begin - FRAME * 4, 1))
        piece = samples[begin : min(end, begin + FRAMES * FRAME)].astype(np.float32) / 32768
        row[0, : len(piece)] = piece * rng.uniform(0.9, 1.1)
    return torch.from_numpy(out)


class Heads(nn.Module):
    """Log mels of every frame from the quantised latents: of all codebooks, and of codebook 0 alone."""

    def __init__(self, hidden: int):
        super().__init__()
        out = FRAME // HOP * MELS
        self.full, self.first = (
            nn.Sequential(nn.Conv1d(hidden, 256, 1), nn.GELU(), nn.Conv1d(256, out, 1)) for _ in range(2)
        )

    @staticmethod
    def loss(head: nn.Module, quantised: torch.Tensor, mels: torch.Tensor) -> torch.Tensor:
        batch, _, frames = quantised.shape
        guess = head(quantised).float().view(batch, MELS, FRAME // HOP, frames).transpose(2, 3).flatten(2)
        return (guess - mels).abs().mean()


def rate(step: int, steps: int) -> float:
    """A short rise, a plateau over the first third, then a cosine to a fiftieth."""
    if step < 50:
        return RATE_MAX * (step + 1) / 50
    done = max(0.0, (step - steps / 3) / (steps * 2 / 3))
    return RATE_MAX * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=1900)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    stored = np.load(options.work / "codec.npz")
    data = stored["samples"], stored["starts"]

    model = build()
    quantiser = Quantiser(model)
    heads = Heads(model.config.hidden_size)
    spectra = Spectra([])
    first = crops(data, rng, 16)
    unit_variance(model, lambda: quantiser(latents(model, first), False, False))
    parameters = [*model.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=RATE_MAX, betas=(0.9, 0.98), weight_decay=0.01)
    modules = {"model": model, "quantiser": quantiser, "heads": heads}
    run = TrainingRun(options.work / "codec.pt", modules, optimiser, 5.0)
    if run.step > 0:
        rng = np.random.default_rng(SEED + run.step)

    seen = [set() for _ in range(CODEBOOKS)]
    while run.step < options.steps:
        if run.step == FREE_STEPS:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                sample = torch.cat([latents(model, crops(data, rng, 16)) for _ in range(40)])
            quantiser.cluster(sample)
        real = crops(data, rng, 16 if run.step < 400 else 8)
        mels = spectra.mels(real[:, 0])
        with torch.autocast("cpu", torch.bfloat16):
            latent = latents(model, real)
        quantised, coarse, commitment, codes = quantiser(latent, run.step >= FREE_STEPS, True)
        with torch.autocast("cpu", torch.bfloat16):
            losses = {
                "mel": heads.loss(heads.full, quantised, mels),
                "mel0": 0.5 * heads.loss(heads.first, coarse, mels),
                "commit": 0.05 * commitment,
            }
        run.learn(losses, rate(run.step, options.steps))
        for k, indices in enumerate(codes):
            seen[k].update(indices.flatten().tolist())
        if run.step % LOG_EVERY == 0:
            used = " ".join(str(len(codes)) for codes in seen)
            run.log(f"codes {used} of {CODEBOOK}")
            seen = [set() for _ in range(CODEBOOKS)]
        if run.step % SAVE_EVERY == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
