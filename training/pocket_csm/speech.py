"""What pocket-csm can say, and espeak-ng's voice saying it."""

import subprocess

import numpy as np
from scipy.signal import resample_poly

RATE = 24000
FRAME = 1920
"""Samples of one Mimi frame."""

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PHRASES = ["thank you", "good morning", "good evening", "good night"]
WORDS = [
    "hello", "goodbye", "yes", "no", "please", "thank", "you", "good", "morning", "evening", "night", "today",
    "tomorrow", "welcome", "happy", "red", "green", "blue", "yellow", "orange", "black", "white", "water", "coffee",
    "music", "window", "garden", "summer", "winter", "parley",
]  # fmt: skip

VOICES = ["en-us", "en-us+f2"]
"""espeak-ng voice of each speaker."""
SPEED = 140
"""Words a minute."""
LOUDNESS = 0.105
"""Root mean square of every utterance."""


def espeak(text: str, speaker: int, speed: int = SPEED, pitch: int = 50) -> np.ndarray:
    """One utterance as float32 samples at 24 kHz, without the silence around it, at a fixed loudness."""
    command = ["espeak-ng", "-v", VOICES[speaker], "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    samples = np.frombuffer(wav[44:], dtype="<i2").astype(np.float32) / 32768
    samples = resample_poly(samples, 160, 147).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    samples = samples[max(loud[0] - 240, 0) : loud[-1] + 960]
    return samples * (LOUDNESS / np.sqrt(np.mean(samples**2)))
