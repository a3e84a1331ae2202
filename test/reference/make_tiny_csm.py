"""Write models/tiny-csm: the untrained speech checkpoint that comes with parley. Its README.md is written by hand."""

import torch
import transformers
from make_csm_checkpoints import write_checkpoint
from paths import MODELS

TINY_CSM = {
    "seed": 41,
    "last_follows": True,
    "audio_gain": 0.3,
    "eos_gain": 1.2,
    "layout": "v5",
    "tied": "both",
    "shards": 1,
    "dtype": torch.bfloat16,
    "codebooks": 32,
    "codebook_size": 64,
    "backbone": {"hidden_size": 96, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2},
    "depth": {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2},
    "mimi": {"hidden_size": 32, "num_filters": 4, "num_hidden_layers": 2, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 4, "codebook_dim": 16, "sliding_window": 250},
}

CARD = "README.md"


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    folder = MODELS / "tiny-csm"
    card = (folder / CARD).read_text()
    write_checkpoint("tiny-csm", TINY_CSM, folder)
    (folder / CARD).write_text(card)
    print(f"tiny-csm: {sum(file.stat().st_size for file in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
