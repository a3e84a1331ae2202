"""Runs the PyTorch reference on the tiny CSM checkpoints and stores what it computes under test/reference/data.

Per checkpoint: csm-*-goldens.safetensors (float32 and int32 tensors) and csm-*-runs.json (prompts, lengths, how a run stopped).
    python test/reference/make_csm_goldens.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from csm_tiny import CHECKPOINTS
from safetensors.torch import save_file
from transformers import AutoProcessor, CsmForConditionalGeneration

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
DATA = HERE / "data"

# Smallest distance allowed between the best and the second best logit of a greedy step, and between the two nearest
# codebook entries (relative): far above float32 noise, so that equality of codes is a fair demand.
LOGIT_MARGIN = 1e-3
CODE_MARGIN = 2e-5

# Samples of the clip that are encoded: one sample, around one frame, odd lengths, longer than every window.
CLIP_LENGTHS = [1, 479, 960, 1919, 1920, 1921, 5000, 9601, 20000]
STAGE_SAMPLES = 2500

# turns: (speaker, text, samples of the clip); the last text is the one to speak.
RUNS = {
    "csm-six": [
        {"name": "plain", "turns": [], "speaker": 0, "text": "z", "max_frames": 40},
        {"name": "cap", "turns": [], "speaker": 1, "text": "stop", "max_frames": 25},
        {"name": "context", "turns": [(0, "going and going", 5000)], "speaker": 1, "text": "the end", "max_frames": 30},
        {"name": "turns", "turns": [(0, "ok?", 1921), (1, "well, well", 9601)], "speaker": 0, "text": "hello", "max_frames": 30},
    ],
    "csm-eight": [
        {"name": "plain", "turns": [], "speaker": 2, "text": "one two three", "max_frames": 40},
        {"name": "cap", "turns": [], "speaker": 0, "text": "A", "max_frames": 25},
        {"name": "silent", "turns": [], "speaker": 0, "text": "hello", "max_frames": 40},
        {"name": "context", "turns": [(3, "going and going", 5000)], "speaker": 1, "text": "the end", "max_frames": 30},
        {"name": "turns", "turns": [(0, "ok?", 1), (1, "well, well", 3841)], "speaker": 0, "text": "A", "max_frames": 30},
    ],
    "csm-thirtytwo": [
        {"name": "plain", "turns": [], "speaker": 0, "text": "yes", "max_frames": 40},
        {"name": "cap", "turns": [], "speaker": 2, "text": "one two three", "max_frames": 9},
        {"name": "context", "turns": [(0, "going and going", 5000)], "speaker": 1, "text": "the end", "max_frames": 20},
    ],
    "csm-three": [
        {"name": "plain", "turns": [], "speaker": 0, "text": "yes", "max_frames": 40},
        {"name": "context", "turns": [(0, "going and going", 5000)], "speaker": 1, "text": "the end", "max_frames": 30},
        {"name": "turns", "turns": [(2, "ok?", 1), (1, "well, well", 9601)], "speaker": 0, "text": "A", "max_frames": 30},
    ],
}


def build_clip(samples: int) -> np.ndarray:
    """A clip at 16-bit resolution: two gliding tones under a syllable-like envelope, with a little noise."""
    time = np.arange(samples) / 24000.0
    noise = np.random.default_rng(5).standard_normal(samples)
    tone = np.sin(2 * np.pi * (180 * time + 90 * time**2)) + 0.5 * np.sin(2 * np.pi * (1300 * time - 400 * time**2))
    clip = 0.4 * np.sin(2 * np.pi * 3.5 * time) ** 2 * tone + 0.02 * noise
    return (np.round(np.clip(clip, -1, 1) * 32767) / 32768).astype(np.float32)


def load_reference(name: str, shape: dict) -> CsmForConditionalGeneration:
    """The checkpoint as transformers loads it, in float32; an absent depth embedding is the backbone's."""
    model = CsmForConditionalGeneration.from_pretrained(FIXTURES / name, dtype=torch.float32).eval()
    if shape["tied"] == "absent":
        model.depth_decoder.model.embed_tokens.weight.data = model.backbone_model.embed_tokens.embed_audio_tokens.weight.data
    return model


def conversation(run: dict, clip: np.ndarray) -> list[dict]:
    """The run's turns and its text in the form CsmProcessor.apply_chat_template takes."""
    messages = [
        {"role": str(speaker), "content": [{"type": "text", "text": text}, {"type": "audio", "path": clip[:samples]}]}
        for speaker, text, samples in run["turns"]
    ]
    messages.append({"role": str(run["speaker"]), "content": [{"type": "text", "text": run["text"]}]})
    return messages


def run_greedy(model, processor, run: dict, clip: np.ndarray) -> tuple[dict, dict]:
    """One whole greedy run: prompt ids, codes of every frame, audio of the run named "context"; and its description."""
    inputs = processor.apply_chat_template(conversation(run, clip), tokenize=True, return_dict=True)
    margins = []
    watch = [
        head.register_forward_hook(lambda _module, _inputs, logits: margins.append(smallest_margin(logits[0, -1:])))
        for head in (model.lm_head, model.depth_decoder.codebooks_head)
    ]
    output = model.generate(
        **inputs,
        do_sample=False,
        depth_decoder_do_sample=False,
        max_new_tokens=run["max_frames"],
    )
    for handle in watch:
        handle.remove()
    codes = output[0]
    assert min(margins) > LOGIT_MARGIN, f"near tie in run {run['name']}: {min(margins)}"
    eos = model.config.codebook_eos_token_id
    stopped = bool((codes[-1, :-1] == eos).all())
    # The reference cuts the audio at the first frame that is all eos; it cannot decode what is left of a run cut at frame 0.
    spoken = codes[:-1] if bool((codes[-1] == eos).all()) else codes
    tensors = {"ids": inputs["input_ids"][0].int(), "codes": codes.int()}
    if run["name"] == "context":
        tensors["audio"] = model.codec_model.decode(spoken.T[None]).audio_values[0, 0]
    facts = {
        "name": run["name"],
        "turns": [{"speaker": s, "text": t, "samples": n} for s, t, n in run["turns"]],
        "speaker": run["speaker"],
        "text": run["text"],
        "max_frames": run["max_frames"],
        "frames": codes.shape[0],
        "samples": spoken.shape[0] * model.config.codec_config.frame_size,
        "stopped": "eos" if stopped else "cap",
    }
    return tensors, facts


def smallest_margin(logits: torch.Tensor) -> float:
    best = logits.topk(2, dim=-1).values
    return float((best[..., 0] - best[..., 1]).min())


def backbone_stages(model, processor, run: dict, clip: np.ndarray) -> dict:
    """Hidden states of every backbone layer over a prompt, [layers + 1, positions, hidden], and codebook-0 logits."""
    inputs = processor.apply_chat_template(conversation(run, clip), tokenize=True, return_dict=True)
    output = model(**inputs, output_hidden_states=True)
    return {"backbone.hidden": torch.stack(output.hidden_states)[:, 0], "backbone.logits": output.logits[0]}


def depth_stages(model, hidden: torch.Tensor, codes: torch.Tensor) -> dict:
    """The depth decoder over one frame: hidden states [layers + 1, codebooks, hidden] and logits [codebooks - 1, vocabulary].

    hidden is the backbone's last state [hidden], codes the frame [codebooks]; position p is fed code p - 1.
    """
    ids = torch.nn.functional.pad(codes[:-1], (1, 0))[None].long()
    output = model.depth_decoder(input_ids=ids, backbone_last_hidden_state=hidden[None], output_hidden_states=True)
    assert smallest_margin(output.logits[0]) > LOGIT_MARGIN, "near tie in the depth decoder"
    return {
        "depth.input": hidden,
        "depth.codes": codes.int(),
        "depth.hidden": torch.stack(output.hidden_states)[:, 0],
        "depth.logits": output.logits[0],
    }


def code_margin(quantizer, embeddings: torch.Tensor) -> float:
    """Smallest relative gap between the two nearest entries over every residual stage of both quantizers."""
    smallest = float("inf")
    for part in (quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer):
        projected = embeddings if part.input_proj is None else part.input_proj(embeddings)
        residual = projected.transpose(1, 2)[0]
        for layer in part.layers:
            distances = torch.cdist(residual, layer.codebook.embed)
            near = distances.topk(2, largest=False)
            smallest = min(smallest, float(((near.values[:, 1] - near.values[:, 0]) / near.values[:, 1]).min()))
            residual = residual - layer.codebook.embed[near.indices[:, 0]]
    return smallest


def record(module: torch.nn.Module, name: str, stages: dict, handles: list) -> None:
    """Keeps a module's output as stages[name], batch dimension dropped."""

    def keep(_module, _inputs, output):
        stages[name] = (output[0] if isinstance(output, tuple) else output)[0].detach().clone()

    handles.append(module.register_forward_hook(keep))


def mimi_stages(codec, clip: np.ndarray) -> dict:
    """Every stage of encoding and decoding a short clip, activations left out. Convolutions are [channels, time], transformers [time, hidden]."""
    stages, handles = {}, []
    for part in ("encoder", "decoder"):
        for index, layer in enumerate(getattr(codec, part).layers):
            if isinstance(layer, torch.nn.ELU):
                continue
            record(layer, f"mimi.{part}.{index}", stages, handles)
        for index, layer in enumerate(getattr(codec, f"{part}_transformer").layers):
            record(layer, f"mimi.{part}_transformer.{index}", stages, handles)
    record(codec.downsample, "mimi.downsample", stages, handles)
    record(codec.upsample, "mimi.upsample", stages, handles)
    samples = torch.from_numpy(clip[:STAGE_SAMPLES])[None, None]
    codes = codec.encode(samples).audio_codes
    stages["mimi.quantized"] = codec.quantizer.decode(codes)[0]
    codec.decode(codes)
    for handle in handles:
        handle.remove()
    stages["mimi.codes"] = codes[0].T.int()
    return stages


def mimi_clips(codec, clip: np.ndarray) -> dict:
    """Codes [frames, codebooks] of prefixes of the clip, and the audio of a code sequence longer than the window."""
    tensors = {}
    for length in CLIP_LENGTHS:
        samples = torch.from_numpy(clip[:length])[None, None]
        tensors[f"mimi.clip.{length}"] = codec.encode(samples).audio_codes[0].T.int()
    embeddings = codec.encoder(torch.from_numpy(clip)[None, None])
    embeddings = codec.encoder_transformer(embeddings.transpose(1, 2))[0].transpose(1, 2)
    assert code_margin(codec.quantizer, codec.downsample(embeddings)) > CODE_MARGIN, "near tie in the quantizer"
    generator = torch.Generator().manual_seed(3)
    codes = torch.randint(0, codec.config.codebook_size, (1, codec.config.num_quantizers, 11), generator=generator)
    tensors["mimi.decode.codes"] = codes[0].T.int()
    tensors["mimi.decode.audio"] = codec.decode(codes).audio_values[0, 0]
    return tensors


def make_goldens(name: str, shape: dict, clip: np.ndarray) -> None:
    model = load_reference(name, shape)
    processor = AutoProcessor.from_pretrained(FIXTURES / name)
    tensors, facts = {}, []
    for run in RUNS[name]:
        values, fact = run_greedy(model, processor, run, clip)
        tensors.update({f"run.{run['name']}.{key}": value for key, value in values.items()})
        facts.append(fact)
    context = next(run for run in RUNS[name] if run["name"] == "context")
    tensors.update(backbone_stages(model, processor, context, clip))
    tensors.update(depth_stages(model, tensors["backbone.hidden"][-1, -1], tensors["run.context.codes"][0]))
    tensors.update(mimi_stages(model.codec_model, clip))
    tensors.update(mimi_clips(model.codec_model, clip))
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, DATA / f"{name}-goldens.safetensors")
    (DATA / f"{name}-runs.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(name, [(fact["name"], fact["frames"], fact["stopped"]) for fact in facts])


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    DATA.mkdir(exist_ok=True)
    clip = build_clip(max(CLIP_LENGTHS))
    np.save(DATA / "csm-clip.npy", clip)
    with torch.no_grad():
        for name, shape in CHECKPOINTS.items():
            make_goldens(name, shape, clip)
