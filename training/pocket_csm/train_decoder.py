"""Trains the codec's decoder alone: encoder and codebooks of WORK/codec.pt stay as they are, so that codes keep their meaning.

Goes on from WORK/decoder.pt if it is there.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from codec import decode, encode, load_frozen
from spectra import Spectra, unit_variance
from speech import FRAME
from train_encoder import FRAMES, rate
from training_run import LOG_EVERY, SAVE_EVERY, TrainingRun

SEED = 22
BATCH = 4
WINDOWS = [2048, 512]


@torch.no_grad()
def encode_all(model, quantiser, samples: np.ndarray, starts: np.ndarray) -> list[np.ndarray]:
    """The codes [codebook, frame] of every utterance; utterances of alike length share a batch."""
    order = np.argsort(np.diff(starts))
    codes = [np.empty(0)] * len(order)
    for begin in range(0, len(order), 32):
        batch = order[begin : begin + 32]
        pieces = [samples[starts[k] : starts[k + 1]].astype(np.float32) / 32768 for k in batch]
        frames = [-(-len(piece) // FRAME) for piece in pieces]
        wave = np.zeros((len(pieces), 1, max(frames) * FRAME), dtype=np.float32)
        for row, piece in zip(wave, pieces, strict=True):
            row[0, : len(piece)] = piece
        found = encode(model, quantiser, torch.from_numpy(wave)).numpy()
        for k, row, count in zip(batch, found, frames, strict=True):
            codes[k] = row[:, :count].astype(np.int16)
    return codes


def crops(data, codes, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes [BATCH, codebook, FRAMES] and their samples [BATCH, FRAMES * FRAME]; four in ten begin their utterance."""
    samples, starts = data
    rows, waves = [], np.zeros((BATCH, FRAMES * FRAME), dtype=np.float32)
    while len(rows) < BATCH:
        k = rng.integers(len(codes))
        frames = codes[k].shape[1]
        if frames < FRAMES:
            continue
        first = 0 if rng.random() < 0.4 else rng.integers(frames - FRAMES + 1)
        begin = starts[k] + first * FRAME
        piece = samples[begin : min(starts[k + 1], begin + FRAMES * FRAME)].astype(np.float32) / 32768
        waves[len(rows), : len(piece)] = piece
        rows.append(codes[k][:, first : first + FRAMES])
    return torch.from_numpy(np.stack(rows)).long(), torch.from_numpy(waves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=8000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    stored = np.load(options.work / "codec.npz")
    data = stored["samples"], stored["starts"]
    model, quantiser = load_frozen(options.work)
    kept = options.work / "codes.pt"
    if kept.exists():
        codes = torch.load(kept, weights_only=False)
    else:
        codes = encode_all(model, quantiser, *data)
        torch.save(codes, kept)
    spectra = Spectra(WINDOWS)

    model.requires_grad_(False)
    parts = [model.upsample, model.decoder_transformer, model.decoder]
    parameters = [p.requires_grad_(True) for part in parts for p in part.parameters()]
    first = quantiser.decode(crops(data, codes, rng)[0])

    def whole():
        hidden = model.decoder_transformer(model.upsample(first).transpose(1, 2), use_cache=False).last_hidden_state
        model.decoder(hidden.transpose(1, 2))

    unit_variance(model, whole)
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    run = TrainingRun(options.work / "decoder.pt", {"model": model}, optimiser, 5.0)
    if run.step > 0:
        rng = np.random.default_rng(SEED + run.step)

    while run.step < options.steps:
        indices, real = crops(data, codes, rng)
        with torch.autocast("cpu", torch.bfloat16):
            made = decode(model, quantiser.decode(indices))[:, 0]
        losses = {
            "spectra": spectra.loss(made, real),
            "wave": 0.05 * (made - real).abs().mean() / real.abs().mean(),
        }
        run.learn(losses, rate(run.step, options.steps) * min(1.0, run.step / 200))
        if run.step % LOG_EVERY == 0:
            run.log()
        if run.step % SAVE_EVERY == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
