"""Write a checkpoint folder as transformers saves it: python export.py RUN.pt TOKENIZER FOLDER

Weights become bfloat16, which is what they were used as in training. The model is then read again by transformers, and
must predict what the training's own model predicts.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from tokenizers import Tokenizer

from held_out import held_out
from model import D, EPSILON, FF, HD, KV, LAYER_TYPES, THETA, WINDOW, H, PocketCwm, tables
from traces import document

POSITIONS = 2048


def main():
    run, tokenizer_path, folder = sys.argv[1:]
    tokenizer = Tokenizer.from_file(tokenizer_path)
    bos, *eos = [tokenizer.token_to_id(t) for t in ("<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")]
    config = transformers.CwmConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=D, intermediate_size=FF, num_hidden_layers=len(LAYER_TYPES),
        num_attention_heads=H, num_key_value_heads=KV, head_dim=HD, sliding_window=WINDOW, layer_types=LAYER_TYPES,
        max_position_embeddings=POSITIONS, rms_norm_eps=EPSILON, tie_word_embeddings=True, bos_token_id=bos, eos_token_id=eos,
        rope_parameters={"rope_type": "default", "rope_theta": THETA},
    )
    trained = PocketCwm(config.vocab_size)
    with torch.no_grad():
        for parameter, master in zip(trained.parameters(), torch.load(run)["masters"], strict=True):
            parameter.copy_(master.bfloat16().float())
    model = transformers.CwmForCausalLM(config)
    missing, unexpected = model.model.load_state_dict(trained.state_dict(), strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    model.bfloat16().save_pretrained(folder)
    transformers.GenerationConfig(bos_token_id=bos, eos_token_id=eos, do_sample=True, temperature=0.6, top_p=0.95).save_pretrained(folder)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>", pad_token="<|pad|>",
        model_max_length=POSITIONS, clean_up_tokenization_spaces=False,
    )
    fast.chat_template = (Path(__file__).parent / "chat_template.jinja").read_text()
    fast.save_pretrained(folder)

    again = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    _, context, frames = held_out()[0]
    ids = tokenizer.encode("".join(document(context, frames)), add_special_tokens=False).ids
    ids = ids[: len(ids) // WINDOW * WINDOW]
    with torch.no_grad():
        theirs = again(torch.tensor([ids])).logits[0]
        ours = F.linear(trained.hidden(torch.tensor([ids]), tables(len(ids), 1, torch.float32))[0], trained.embed_tokens.weight)
    difference = (theirs - ours).abs().max().item()
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    print(f"{folder}: {size:,} bytes; logits of transformers and of the training's model differ by at most {difference:.1e}")
    assert difference < 1e-3


if __name__ == "__main__":
    main()
