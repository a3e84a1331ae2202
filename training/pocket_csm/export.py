"""Puts codec and language model of WORK together as transformers saves them, in bf16."""

import argparse
from pathlib import Path

import torch
from codec import load_frozen, store
from lm import build_model
from tokenizer import build_processor
from transformers import logging


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    logging.set_verbosity_error()
    codec, quantiser = load_frozen(options.work)
    trained = options.work / "decoder.pt"
    if trained.exists():
        codec.load_state_dict(torch.load(trained)["model"])
    store(codec, quantiser)

    processor = build_processor()
    model = build_model(processor.tokenizer)
    model.load_state_dict(torch.load(options.work / "lm.pt")["model"], strict=False)
    model.codec_model.load_state_dict(codec.state_dict())
    # Both tables are stored: a shared one would be left out.
    table = model.backbone_model.embed_tokens.embed_audio_tokens.weight
    model.depth_decoder.model.embed_tokens.weight = torch.nn.Parameter(table.detach().clone())
    for part in (model, model.depth_decoder):
        part.generation_config.do_sample = True
        part.generation_config.temperature = 0.9
        part.generation_config.top_k = 50
    model.generation_config.max_new_tokens = 125
    model.to(torch.bfloat16).save_pretrained(options.out)
    processor.save_pretrained(options.out)
    print(f"{sum(file.stat().st_size for file in options.out.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
