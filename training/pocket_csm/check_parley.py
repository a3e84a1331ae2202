"""Checks that greedy codes that parley made at f32 are the reference's, code for code.

    python evaluate.py --text --kind digits --speaker 0 --count 12 > lines.txt
    parley speak -m MODEL --type f32 --greedy --batch --speaker 0 -o out.wav --codes out.npy < lines.txt
    python check_parley.py MODEL FOLDER --kind digits --speaker 0 --count 12
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from evaluate import generate
from sentences import test_sentences
from transformers import AutoProcessor, CsmForConditionalGeneration, logging


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=["digits", "words"], default="digits")
    parser.add_argument("--speaker", type=int, choices=[0, 1], default=0)
    parser.add_argument("--count", type=int, default=12)
    options = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    model = CsmForConditionalGeneration.from_pretrained(options.model, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(options.model)
    sentences = [s for s in test_sentences(options.kind)[: options.count] if s[0] == options.speaker]
    prompts = [f"<|begin_of_text|>[{speaker}]{' '.join(words)}<|end_of_text|>" for speaker, words in sentences]
    equal = 0
    for k, codes in enumerate(generate(model, processor, prompts, False)):
        made = np.load(sorted(options.folder.glob("*.npy"))[k])
        same = made.shape == tuple(codes.shape) and bool((made == codes.numpy()).all())
        equal += same
        if not same:
            print(f"{' '.join(sentences[k][1])}: {made.shape} codes, the reference has {tuple(codes.shape)}")
    print(f"{equal} of {len(prompts)} sentences have the reference's codes")


if __name__ == "__main__":
    main()
