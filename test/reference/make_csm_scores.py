"""Losses and attention weights of the tiny CSM checkpoints: data/csm-*-scores.json and data/csm-*.attentions.npy.

    python test/reference/make_csm_scores.py
"""

import numpy as np
import torch
from csm_tiny import CHECKPOINTS
from make_csm_goldens import CLIP_LENGTHS, CODE_MARGIN, DATA, FIXTURES, build_clip, code_margin, load_reference
from transformers import AutoProcessor
from write_json import write_mapping

# Turns of a conversation: (speaker, text, samples of the clip that begin where the last turn's end). Short enough for
# the smallest context, no length a multiple of a frame but one.
TURNS = [(0, "ok?", 1921), (1, "well, well", 9601), (0, "going and going", 3840)]
# Positions whose attention weights are stored: text, frames and the end of audio, and text again.
ATTENTION_POSITIONS = 21


@torch.no_grad()
def store(name: str, shape: dict) -> None:
    model = load_reference(name, shape)
    model.backbone_model.set_attn_implementation("eager")
    processor = AutoProcessor.from_pretrained(FIXTURES / name)
    clip = build_clip(CLIP_LENGTHS[-1])
    turns, start = [], 0
    for speaker, text, samples in TURNS:
        turns.append((speaker, text, clip[start : start + samples]))
        start += samples
    messages = [
        {"role": str(speaker), "content": [{"type": "text", "text": text}, {"type": "audio", "path": audio}]}
        for speaker, text, audio in turns
    ]
    inputs = processor.apply_chat_template(
        messages, tokenize=True, return_dict=True, output_labels=True, depth_decoder_labels_ratio=1.0
    )
    output = model(**inputs)
    codes = [model.codec_model.encode(torch.tensor(audio)[None, None]).audio_codes[0].T for _, _, audio in turns]
    for _, _, audio in turns:
        margin = encoded_margin(model.codec_model, audio)
        assert margin > CODE_MARGIN, f"near tie in the codes of {name}: {margin}"
    merged = model._merge_input_ids_with_input_values(
        inputs["input_ids"], inputs["input_values"], inputs["input_values_cutoffs"], inputs["labels"]
    )
    part = merged["inputs_embeds"][:, :ATTENTION_POSITIONS]
    attentions = model.backbone_model(inputs_embeds=part, output_attentions=True, use_cache=False).attentions
    np.save(DATA / f"{name}.attentions.npy", torch.cat(attentions).numpy())
    record = {
        "turns": [{"speaker": speaker, "text": text, "samples": samples} for speaker, text, samples in TURNS],
        "tokens": inputs["input_ids"][0].tolist(),
        "codes": torch.cat(codes).tolist(),
        "loss": float(output.loss),
        "backbone_loss": float(output.backbone_loss),
        "depth_decoder_loss": float(output.depth_decoder_loss),
    }
    write_mapping(DATA / f"{name}-scores.json", record)
    print(name, {key: value for key, value in record.items() if key.endswith("loss")}, len(record["tokens"]))


def encoded_margin(codec: torch.nn.Module, audio: np.ndarray) -> float:
    """How clear the choice of the codes is, see code_margin."""
    kept = []
    encode = codec.quantizer.encode
    codec.quantizer.encode = lambda embeddings, *rest: (kept.append(embeddings), encode(embeddings, *rest))[1]
    codec.encode(torch.tensor(audio)[None, None])
    codec.quantizer.encode = encode
    return code_margin(codec.quantizer, kept[-1])


def main() -> None:
    torch.set_num_threads(1)
    for name, shape in CHECKPOINTS.items():
        store(name, shape)


if __name__ == "__main__":
    main()
