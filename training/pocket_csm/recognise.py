"""Word accuracy by pocketsphinx, which may hear any sequence of the stated words and nothing else."""

import numpy as np
import pocketsphinx
from scipy.signal import resample_poly


class Recogniser:
    """Listens for a loop of `words`."""

    def __init__(self, words: list[str]):
        grammar = f"#JSGF V1.0; grammar loop; public <loop> = ( {' | '.join(words)} )+ ;"
        self.decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL", samprate=16000, wip=1e-3)
        self.decoder.add_jsgf_string("loop", grammar)
        self.decoder.activate_search("loop")

    def words(self, samples: np.ndarray) -> list[str]:
        """The words heard in float samples at 24 kHz; 0.3 s of faint noise are put on either side."""
        silence = np.zeros(4800, dtype=np.float32)
        audio = np.concatenate([silence, resample_poly(samples, 2, 3).astype(np.float32), silence])
        audio += np.random.default_rng(0).normal(0, 3e-3, len(audio)).astype(np.float32)
        self.decoder.start_utt()
        self.decoder.process_raw((audio.clip(-1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
        self.decoder.end_utt()
        heard = self.decoder.hyp()
        return heard.hypstr.split() if heard else []


def edits(heard: list[str], said: list[str]) -> int:
    """Substitutions, insertions and deletions between two sequences (Levenshtein)."""
    row = list(range(len(said) + 1))
    for i, a in enumerate(heard, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(said, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
