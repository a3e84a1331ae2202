"""Takes a checkpoint apart into WORK, so that train_decoder.py and train_lm.py go on from it, with new optimisers.

Encoder and codebooks stay as they are: speech made for the language model keeps its codes.
"""

import argparse
from pathlib import Path

import torch
from codec import Quantiser
from transformers import CsmForConditionalGeneration, logging


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("work", type=Path)
    options = parser.parse_args()
    logging.set_verbosity_error()
    model = CsmForConditionalGeneration.from_pretrained(options.model, dtype=torch.float32)
    codec = model.codec_model
    quantiser = Quantiser(codec)
    layers = [layer.codebook for part in quantiser.parts for layer in part.layers]
    for book, layer in zip(quantiser.books, layers, strict=True):
        book.sums.copy_(layer.embed)
    torch.save({"model": codec.state_dict(), "quantiser": quantiser.state_dict()}, options.work / "codec.pt")
    torch.save({"model": codec.state_dict(), "step": 0}, options.work / "decoder.pt")
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("codec_model.")}
    torch.save({"model": state, "step": 0}, options.work / "lm.pt")


if __name__ == "__main__":
    main()
