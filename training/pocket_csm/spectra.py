"""Spectrogram losses, and an initialisation that keeps the variance of what passes through."""

import librosa
import torch
from speech import RATE
from torch import nn
from torch.nn import functional as F

MELS = 48
HOP = 240
"""Samples of one column of log mels."""


class Spectra(nn.Module):
    """Log mels, and spectrograms of several window sizes."""

    def __init__(self, windows: list[int]):
        super().__init__()
        self.windows = windows
        mel = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=MELS, fmax=11000)
        self.register_buffer("mel", torch.from_numpy(mel))
        for size in [1024, *windows]:
            self.register_buffer(f"window{size}", torch.hann_window(size))

    def magnitude(self, samples: torch.Tensor, size: int, hop: int) -> torch.Tensor:
        """[batch, sample] -> [batch, bin, column]"""
        window = getattr(self, f"window{size}")
        spectrum = torch.stft(samples, size, hop, window=window, return_complex=True, pad_mode="constant")
        return torch.view_as_real(spectrum).square().sum(-1).add(1e-9).sqrt()

    def mels(self, samples: torch.Tensor) -> torch.Tensor:
        """[batch, sample] -> log mels [batch, MELS, column], column k in the middle of its HOP samples."""
        shifted = F.pad(samples[:, HOP // 2 :], (0, HOP // 2))
        return (self.mel @ self.magnitude(shifted, 1024, HOP)[..., :-1]).add(1e-4).log()

    def loss(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Log magnitudes and magnitudes relative to the whole, over all windows, and log mels."""
        total = (self.mels(made) - self.mels(real)).abs().mean()
        for size in self.windows:
            a, b = self.magnitude(made, size, size // 4), self.magnitude(real, size, size // 4)
            log = (a.add(1e-3).log() - b.add(1e-3).log()).abs().mean()
            total = total + (log + (a - b).abs().sum() / b.sum()) / len(self.windows)
        return total


@torch.no_grad()
def unit_variance(model: nn.Module, run) -> None:
    """Scales every convolution that `run` passes through so that its output has unit variance.

    The last convolution of a residual block gets half a deviation, the one that makes samples a tenth.
    """

    def hook(name, module, _inputs, output):
        target = 0.1 if module.out_channels == 1 else 0.5 if ".block.3." in name else 1.0
        scale = target / output.float().std().clamp(min=1e-6)
        module.weight.mul_(scale)
        return output * scale

    handles = [
        module.register_forward_hook(lambda m, i, o, name=name: hook(name, m, i, o))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d)
    ]
    run()
    for handle in handles:
        handle.remove()
