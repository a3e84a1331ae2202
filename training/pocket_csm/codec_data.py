"""Speech to train the codec on: DATA/codec.npz with `samples` (int16, 24 kHz) and `starts` of the utterances in them."""

import random
import sys
from pathlib import Path

import numpy as np
from speech import DIGITS, PHRASES, SPEED, WORDS, espeak

SEED = 11
MINUTES = 60


def sentence(rng: random.Random) -> str:
    """Digits, words and phrases mixed: 2 to 5 of them, so that every word is heard beside every other."""
    kinds = rng.choice([[DIGITS], [WORDS], [DIGITS, WORDS, WORDS, PHRASES]])
    return " ".join(rng.choice(rng.choice(kinds)) for _ in range(rng.randint(2, 5)))


def main(folder: Path) -> None:
    rng = random.Random(SEED)
    utterances, length = [], 0
    while length < MINUTES * 60 * 24000:
        varied = rng.random() < 0.4
        speed = rng.randint(125, 155) if varied else SPEED
        pitch = rng.randint(40, 60) if varied else 50
        samples = espeak(sentence(rng), rng.randint(0, 1), speed, pitch)
        utterances.append((samples.clip(-1, 1) * 32767).astype(np.int16))
        length += len(samples)
    starts = np.cumsum([0] + [len(samples) for samples in utterances])
    np.savez(folder / "codec.npz", samples=np.concatenate(utterances), starts=starts)
    print(f"{len(utterances)} utterances, {length / 24000 / 60:.1f} minutes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
