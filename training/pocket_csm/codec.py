"""The codec's configuration, its residual quantiser for training, and its way back into a MimiModel."""

from pathlib import Path

import torch
from torch import nn
from transformers import MimiConfig, MimiModel
from transformers.models.mimi.modeling_mimi import MimiConvTranspose1d

CODEBOOK = 256
CODEBOOKS = 8
EMA = 0.98

CONFIG = {
    "hidden_size": 128,
    "num_filters": 16,
    "codebook_size": CODEBOOK,
    "codebook_dim": 32,
    "vector_quantization_hidden_dimension": 32,
    "num_quantizers": CODEBOOKS,
    "num_semantic_quantizers": 1,
    "num_hidden_layers": 2,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "sliding_window": 24,
    "layer_scale_initial_scale": 0.2,
    "upsample_groups": 128,
}


def build() -> MimiModel:
    """An untrained MimiModel."""
    model = MimiModel(MimiConfig(**CONFIG))
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


class Codebook(nn.Module):
    """One codebook, moved by exponential averages instead of gradients. `reserved` leaves entry 0 unused."""

    def __init__(self, reserved: bool):
        super().__init__()
        self.reserved = reserved
        self.register_buffer("sums", torch.zeros(CODEBOOK, CONFIG["codebook_dim"]))
        self.register_buffer("usage", torch.ones(CODEBOOK))

    @property
    def entries(self) -> torch.Tensor:
        """[entry, dim]"""
        return self.sums / self.usage.clamp(min=1e-5)[:, None]

    def nearest(self, vectors: torch.Tensor) -> torch.Tensor:
        """[n, dim] -> [n] indices."""
        entries = self.entries
        distances = entries.square().sum(1) - 2 * vectors @ entries.T
        if self.reserved:
            distances[:, 0] = torch.inf
        return distances.argmin(1)

    def cluster(self, vectors: torch.Tensor, rounds: int = 12) -> torch.Tensor:
        """k-means from scratch; returns what is left of the vectors."""
        chosen = torch.randperm(len(vectors))[:CODEBOOK]
        self.sums.copy_(vectors[chosen])
        self.usage.fill_(1)
        for _ in range(rounds):
            indices = self.nearest(vectors)
            counts = torch.bincount(indices, minlength=CODEBOOK).float()
            sums = torch.zeros_like(self.sums).index_add_(0, indices, vectors)
            lost = counts == 0
            sums[lost] = vectors[torch.randint(len(vectors), (int(lost.sum()),))]
            self.sums.copy_(sums)
            self.usage.copy_(counts.clamp(min=1))
        self.sums.mul_(1 / self.usage.mean())
        self.usage.mul_(1 / self.usage.mean())
        return vectors - self.entries[self.nearest(vectors)]

    def update(self, vectors: torch.Tensor, indices: torch.Tensor) -> None:
        """One step of the averages; entries that nothing chooses move onto vectors of this batch."""
        counts = torch.bincount(indices, minlength=CODEBOOK).float()
        self.usage.mul_(EMA).add_(counts, alpha=1 - EMA)
        self.sums.mul_(EMA).index_add_(0, indices, vectors, alpha=1 - EMA)
        dead = self.usage < 0.03
        dead[0] &= not self.reserved
        count = int(dead.sum())
        if count:
            self.sums[dead] = vectors[torch.randint(len(vectors), (count,))] * 0.3
            self.usage[dead] = 0.3


class Quantiser(nn.Module):
    """Mimi's split residual quantiser on the projections of a MimiModel, with straight-through gradients."""

    def __init__(self, model: MimiModel):
        super().__init__()
        quantizer = model.quantizer
        self.parts = [quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer]
        self.books = nn.ModuleList([Codebook(k == 0) for k in range(CODEBOOKS)])

    def split(self) -> list:
        """(projections, codebooks) of the semantic and the acoustic part."""
        return list(zip(self.parts, [self.books[:1], self.books[1:]], strict=True))

    @torch.no_grad()
    def cluster(self, latents: torch.Tensor) -> None:
        """k-means of every codebook in turn on latents [batch, hidden, frame]."""
        for part, books in self.split():
            residual = part.input_proj(latents).transpose(1, 2).flatten(0, 1)
            for book in books:
                residual = book.cluster(residual)

    def forward(self, latents: torch.Tensor, quantise: bool, learn: bool):
        """Latents [batch, hidden, frame] -> (quantised, quantised by codebook 0 alone, commitment, codes)."""
        outputs, codes, commitment = [], [], latents.new_zeros(())
        for part, books in self.split():
            inputs = part.input_proj(latents)
            vectors = inputs.transpose(1, 2)
            total = torch.zeros_like(vectors)
            with torch.no_grad():
                residual = vectors.flatten(0, 1)
                for book in books if quantise else []:
                    indices = book.nearest(residual)
                    entries = book.entries[indices]
                    if learn:
                        book.update(residual, indices)
                    residual = residual - entries
                    total += entries.view_as(total)
                    codes.append(indices.view(total.shape[:2]))
            if quantise:
                commitment = commitment + (vectors - total).square().mean() / vectors.detach().var()
                vectors = vectors + (total - vectors).detach()
            outputs.append(part.output_proj(vectors.transpose(1, 2)))
        return outputs[0] + outputs[1], outputs[0], commitment, codes

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes [batch, codebook, frame] -> what they stand for [batch, hidden, frame]."""
        total, first = 0, 0
        for part, books in self.split():
            vectors = sum(book.entries[codes[:, first + k]] for k, book in enumerate(books))
            total = total + part.output_proj(vectors.transpose(1, 2))
            first += len(books)
        return total


def transpose_by_product(module: nn.ConvTranspose1d, inputs: torch.Tensor) -> torch.Tensor:
    """A transposed convolution whose kernel is two strides long, as a matrix product; its last stride is cut off.

    torch 2.13 computes wrong gradients for these convolutions in bf16 on a CPU with AMX.
    """
    weight, stride = module.weight, module.stride[0]
    into, out, _ = weight.shape
    product = (inputs.transpose(1, 2) @ weight.reshape(into, -1)).unflatten(-1, (out, 2, stride))
    now, later = product[..., 0, :], product[..., 1, :]
    whole = now + nn.functional.pad(later[:, :-1], (0, 0, 0, 0, 1, 0))
    return whole.permute(0, 2, 1, 3).flatten(2) + module.bias[:, None]


def decode_samples(model: MimiModel, hidden: torch.Tensor) -> torch.Tensor:
    """MimiDecoder: [batch, hidden, step] -> [batch, 1, sample]."""
    for layer in model.decoder.layers:
        if isinstance(layer, MimiConvTranspose1d):
            hidden = transpose_by_product(layer.conv, hidden)
        else:
            hidden = layer(hidden)
    return hidden


def latents(model: MimiModel, samples: torch.Tensor) -> torch.Tensor:
    """[batch, 1, sample] -> what is quantised [batch, hidden, frame]."""
    hidden = model.encoder(samples).transpose(1, 2)
    hidden = model.encoder_transformer(hidden, use_cache=False).last_hidden_state.transpose(1, 2)
    return model.downsample(hidden).float()


def decode(model: MimiModel, quantised: torch.Tensor) -> torch.Tensor:
    """[batch, hidden, frame] -> samples [batch, 1, sample]."""
    hidden = model.upsample(quantised).transpose(1, 2)
    hidden = model.decoder_transformer(hidden, use_cache=False).last_hidden_state.transpose(1, 2)
    return decode_samples(model, hidden).float()


def load_frozen(work: Path) -> tuple[MimiModel, Quantiser]:
    """The codec of WORK/codec.pt, rounded to bf16: codes are made with the numbers that the checkpoint will hold."""
    model = build()
    quantiser = Quantiser(model)
    state = torch.load(work / "codec.pt")
    model.load_state_dict(state["model"])
    quantiser.load_state_dict(state["quantiser"])
    model.to(torch.bfloat16).float()
    for book in quantiser.books:
        book.sums.copy_(book.entries.bfloat16().float())
        book.usage.fill_(1)
    return model, quantiser


@torch.no_grad()
def encode(model: MimiModel, quantiser: Quantiser, samples: torch.Tensor) -> torch.Tensor:
    """[batch, 1, sample] -> codes [batch, codebook, frame]."""
    with torch.autocast("cpu", torch.bfloat16):
        latent = latents(model, samples)
    return torch.stack(quantiser(latent, True, False)[3], 1)


@torch.no_grad()
def store(model: MimiModel, quantiser: Quantiser) -> None:
    """Writes the codebooks into the model, rounded as the checkpoint stores them.

    Entry 0 of codebook 0 marks the end of speech. It is put where no latent comes near: three times as far from the
    middle as the farthest entry, along the direction in which the entries vary least.
    """
    targets = [layer.codebook for part in quantiser.parts for layer in part.layers]
    for book, target in zip(quantiser.books, targets, strict=True):
        entries = book.entries.clone()
        if book.reserved:
            used = entries[1:]
            middle = used.mean(0)
            least = torch.linalg.eigh((used - middle).T @ (used - middle))[1][:, 0]
            entries[0] = middle + 3 * (used - middle).norm(dim=1).max() * least
        target.embed_sum.copy_(entries.bfloat16().float())
        target.cluster_usage.fill_(1)
        target._embed = None
