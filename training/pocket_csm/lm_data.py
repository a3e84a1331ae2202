"""Speech for the language model as codes of the frozen codec: WORK/lm-PART.npz with texts, speakers, codes and starts."""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from codec import load_frozen
from sentences import held_out, sentence
from speech import espeak
from train_decoder import encode_all

SEED = 41
CHUNK = 500
"""Utterances encoded at a time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("part", type=int, help="number of the part, also its seed")
    parser.add_argument("--utterances", type=int, default=5000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng, unseen = random.Random(SEED + options.part), held_out()
    model, quantiser = load_frozen(options.work)
    texts, speakers, codes = [], [], []
    while len(texts) < options.utterances:
        waves = []
        for _ in range(CHUNK):
            text, said = sentence(rng, unseen)
            speaker = rng.randint(0, 1)
            waves.append((espeak(said, speaker).clip(-1, 1) * 32767).astype(np.int16))
            texts.append(text)
            speakers.append(speaker)
        starts = np.cumsum([0] + [len(wave) for wave in waves])
        codes += encode_all(model, quantiser, np.concatenate(waves), starts)
        print(f"{len(texts)} utterances, {sum(c.shape[1] for c in codes) * 0.08 / 60:.0f} minutes", flush=True)
        path = options.work / f"lm-{options.part}.npz"
        np.savez(
            path.with_name(f"new-{options.part}.npz"),
            texts=np.array(texts),
            speakers=np.array(speakers),
            codes=np.concatenate(codes, 1),
            starts=np.cumsum([0] + [c.shape[1] for c in codes]),
        )
        path.with_name(f"new-{options.part}.npz").rename(path)


if __name__ == "__main__":
    main()
