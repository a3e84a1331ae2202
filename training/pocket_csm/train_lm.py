"""Trains backbone and depth decoder on WORK/lm-*.npz. Goes on from WORK/lm.pt if it is there."""

import argparse
from pathlib import Path

import numpy as np
import torch
from codec import CODEBOOK, CODEBOOKS
from lm import VOCABULARY, build_model
from sentences import held_out, spoken
from speech import FRAME, RATE
from tokenizer import build_tokenizer
from torch.nn import functional as F
from training_run import LOG_EVERY, SAVE_EVERY, TrainingRun

SEED = 51
RATE_MAX = 1.5e-3
POSITIONS = 2560
"""Positions of one batch, padding included."""
NOISE = 0.12
"""Share of the codes fed back that are replaced by others."""
JOINED = 0.3
"""Share of the turns that are two utterances of one speaker with a comma between: many more sentences from the same speech."""
DEPTH_SHARE = 0.3
"""Share of the frames that the depth decoder learns from in each step."""
VALIDATION = 60
"""Utterances kept aside for the validation loss: the first of all."""
READ_AGAIN = 500
"""Steps after which the data is read again: more may have been made."""


class Speech:
    """Utterances: ids of their text, speaker, codes."""

    def __init__(self, work: Path, tokenizer):
        self.tokenizer = tokenizer
        self.unseen = held_out()
        self.frames, self.texts, self.speakers, self.prompts = [], [], [], []
        for path in sorted(work.glob("lm-*.npz")):
            with np.load(path) as stored:
                texts, speakers, codes, starts = (stored[name] for name in ("texts", "speakers", "codes", "starts"))
            for k, text in enumerate(texts):
                self.frames.append(codes[:, starts[k] : starts[k + 1]].T)
                self.texts.append(str(text))
                self.speakers.append(int(speakers[k]))
                self.prompts.append(self.prompt(self.speakers[-1], self.texts[-1]))
        self.training = range(VALIDATION, len(self.frames))
        self.of_speaker = [[k for k in self.training if self.speakers[k] == speaker] for speaker in (0, 1)]

    def prompt(self, speaker: int, text: str) -> list[int]:
        prompt = f"<|begin_of_text|>[{speaker}]{text}<|end_of_text|>"
        return self.tokenizer(prompt, add_special_tokens=False)["input_ids"]

    def turn(self, k: int, rng: np.random.Generator | None) -> tuple[list[int], np.ndarray]:
        """Text ids and codes of an utterance, at times with another one after it."""
        if rng is None or rng.random() > JOINED:
            return self.prompts[k], self.frames[k]
        speaker = self.speakers[k]
        other = self.of_speaker[speaker][rng.integers(len(self.of_speaker[speaker]))]
        if len(self.frames[k]) + len(self.frames[other]) > 60:
            return self.prompts[k], self.frames[k]
        second = self.texts[other]
        text = f"{self.texts[k].rstrip('.!')}, {second[0].lower()}{second[1:]}"
        if spoken(text) in self.unseen:
            return self.prompts[k], self.frames[k]
        return self.prompt(speaker, text), np.concatenate([self.frames[k], self.frames[other]])

    def row(self, turns, rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Text ids [position], -1 at audio, and codes [position, codebook] of a conversation; each turn ends in zeros."""
        ids, codes = [], []
        for k in turns:
            prompt, frames = self.turn(k, rng)
            ids += prompt + [-1] * (len(frames) + 1)
            codes += [np.zeros((len(prompt), CODEBOOKS), int), frames, np.zeros((1, CODEBOOKS), int)]
        return np.array(ids), np.concatenate(codes)

    def held_out(self) -> tuple[torch.Tensor, torch.Tensor]:
        return pad([self.row([k]) for k in range(VALIDATION)])

    def batches(self, rng: np.random.Generator, longest: int):
        """Endless batches of rows of alike length. Six rows in ten are one turn; the others two to four."""
        while True:
            order = rng.permutation(self.training)
            rows, k = [], 0
            while k < len(order):
                turns = 1 if rng.random() < 0.6 else rng.integers(2, 5)
                row = self.row(order[k : k + turns], rng)
                k += turns
                if len(row[0]) <= longest:
                    rows.append(row)
            rows.sort(key=lambda row: len(row[0]) + rng.uniform(0, 6))
            batches, batch = [], []
            for row in rows:
                if (len(batch) + 1) * max(len(r[0]) for r in [*batch, row]) > POSITIONS:
                    batches.append(batch)
                    batch = []
                batch.append(row)
            for index in rng.permutation(len(batches)):
                yield pad(batches[index])


def pad(rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Text ids [row, position], -1 at audio and -2 after the end, and codes [row, position, codebook]."""
    length = max(len(ids) for ids, _ in rows)
    ids = np.full((len(rows), length), -2)
    codes = np.zeros((len(rows), length, CODEBOOKS), int)
    for k, (row_ids, row_codes) in enumerate(rows):
        ids[k, : len(row_ids)] = row_ids
        codes[k, : len(row_ids)] = row_codes
    return torch.from_numpy(ids), torch.from_numpy(codes)


def losses(model, ids: torch.Tensor, codes: torch.Tensor, noise: float, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy in nats of codebook 0, and the mean of the others over `share` of the frames."""
    audio = ids == -1
    fed = codes
    if noise:
        changed = (torch.rand(codes.shape) < noise) & (codes != 0).any(-1, keepdim=True)
        fed = torch.where(changed, torch.randint(1, CODEBOOK, codes.shape), codes)
    table = model.backbone_model.embed_tokens
    embedded = torch.where(audio[..., None], table(fed), model.embed_text_tokens(ids.clamp(min=0)))
    hidden = model.backbone_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    wanted = audio[:, 1:]
    before, frames = hidden[:, :-1][wanted], codes[:, 1:][wanted]
    first = F.cross_entropy(model.lm_head(before).float(), frames[:, 0])
    if share < 1:
        chosen = torch.randperm(len(frames))[: int(len(frames) * share)]
        before, frames = before[chosen], frames[chosen]
    decoder = model.depth_decoder
    inputs = table.embed_audio_tokens(frames[:, :-1] + torch.arange(CODEBOOKS - 1) * VOCABULARY)
    inputs = torch.cat([before[:, None].to(inputs.dtype), inputs], 1)
    states = decoder.model(inputs_embeds=inputs, use_cache=False).last_hidden_state[:, 1:]
    logits = torch.einsum("nkh,khv->nkv", states, decoder.codebooks_head.weight).float()
    return first, F.cross_entropy(logits.flatten(0, 1), frames[:, 1:].flatten())


def rate(step: int, steps: int, decay: int) -> float:
    """A short rise, a plateau, and a straight line to a fiftieth over the last `decay` steps."""
    return RATE_MAX * min((step + 1) / 150, 1.0, max((steps - step) / decay, 0.02))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--decay", type=int, default=3000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = build_tokenizer()
    model = build_model(tokenizer)
    model.codec_model.requires_grad_(False)
    model.set_attn_implementation("eager")
    for layer in [*model.backbone_model.layers, *model.depth_decoder.model.layers]:
        layer.compile(dynamic=True)
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=RATE_MAX, betas=(0.9, 0.95), fused=True)
    print(f"{sum(p.numel() for p in parameters):,} weights")
    run = TrainingRun(options.work / "lm.pt", {"model": model}, optimiser, 1.0, left_out=("codec_model.",))
    batches = None
    while run.step < options.steps:
        if batches is None or run.step % READ_AGAIN == 0:
            speech = Speech(options.work, tokenizer)
            minutes = sum(map(len, speech.frames)) * FRAME / RATE / 60
            print(f"{len(speech.frames)} utterances, {minutes:.0f} minutes", flush=True)
            longest = 60 if run.step < 500 else 110 if run.step < 1500 else 260
            batches = speech.batches(np.random.default_rng(SEED + run.step), longest)
        ids, codes = next(batches)
        with torch.autocast("cpu", torch.bfloat16):
            first, others = losses(model, ids, codes, NOISE, DEPTH_SHARE)
        run.learn({"first": first, "others": others}, rate(run.step, options.steps, options.decay))
        if run.step % LOG_EVERY == 0:
            run.log()
        if run.step % SAVE_EVERY == 0 or run.step == options.steps:
            with torch.autocast("cpu", torch.bfloat16):
                first, others = (float(loss.detach()) for loss in losses(model, *speech.held_out(), 0.0, 1.0))
            print(f"{run.step} validation: first {first:.3f} others {others:.3f}", flush=True)
            run.save()


if __name__ == "__main__":
    main()
