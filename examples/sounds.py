"""Two sounds made by arithmetic alone, the same on every machine: babble like speech, and a plucked string instrument.

python examples/sounds.py         writes speech.wav and strings.wav
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto import sounds

RATE = 16000

# The first three formants of five vowels, in Hz (about those of Peterson and Barney 1952, men).
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))


def speech(seconds: float = 4.0, seed: int = 0) -> Tensor:
    """Syllables of hiss and vowel, with a voice whose pitch wanders: (1, n)."""
    rng = np.random.default_rng(seed)
    result = np.zeros(round(seconds * RATE))
    at = 0.05
    while at < seconds - 0.3:
        syllable = _syllable(rng, rng.uniform(0.14, 0.3))
        begin = round(at * RATE)
        end = min(begin + len(syllable), len(result))
        result[begin:end] += syllable[: end - begin]
        at += len(syllable) / RATE + rng.choice([0.02, 0.05, 0.2], p=[0.5, 0.35, 0.15])
    return _scaled(result)


def _syllable(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = rng.uniform(95, 150) * 2 ** (rng.uniform(-0.3, 0.3) * time / seconds)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = VOWELS[rng.integers(len(VOWELS))]
    voice = np.zeros_like(time)
    for harmonic in range(1, int(RATE / 2 / pitch.max())):
        frequency = harmonic * pitch
        gain = sum(level / (1 + ((frequency - f) / 90) ** 2) for level, f in zip((1, 0.6, 0.3), formants, strict=True))
        voice += gain / harmonic**0.5 * np.sin(harmonic * phase)
    hiss = np.diff(rng.normal(0, 0.25, len(time) + 1)) * np.exp(-time / rng.uniform(0.01, 0.03))
    rise = np.minimum(1, np.maximum(0, (time - 0.02) / 0.02)) * np.minimum(1, (seconds - time) / 0.06)
    return np.asarray(voice * rise + hiss)


def strings(seconds: float = 4.0, seed: int = 0) -> Tensor:
    """Broken chords on plucked strings: (1, n)."""
    rng = np.random.default_rng(seed)
    chords = ((0, 4, 7, 12, 16, 12, 7, 4), (-3, 4, 9, 12, 16, 12, 9, 4), (-7, 5, 9, 12, 17, 12, 9, 5))
    result = np.zeros(round(seconds * RATE))
    for place in range(int(seconds / 0.16)):
        note = chords[place // 8 % 3][place % 8]
        begin = round(place * 0.16 * RATE)
        time = np.arange(len(result) - begin) / RATE
        frequency = 196 * 2 ** (note / 12)
        for harmonic in range(1, int(RATE / 2 / frequency)):
            gain = abs(np.sin(np.pi * harmonic * 0.21)) / harmonic
            stretched = harmonic * frequency * (1 + 2e-4 * harmonic**2) ** 0.5
            decay = np.exp(-time * (2.5 + 0.8 * harmonic))
            result[begin:] += gain * decay * np.sin(2 * np.pi * stretched * time + rng.uniform(0, 6.28))
    return _scaled(result)


def _scaled(samples: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(0.5 * samples / abs(samples).max()).float()[None]


if __name__ == "__main__":
    for name, samples in (("speech", speech()), ("strings", strings())):
        sounds.write(f"{name}.wav", samples, RATE)
        print(f"{name}.wav: {samples.shape[1] / RATE:.1f} s")
