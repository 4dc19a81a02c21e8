"""Small sounds."""

import pytest
import torch

from impasto import sounds


@pytest.fixture(scope="session")
def tune():
    """A function that makes a sound of plucked notes (channels, n), in [-1, 1]."""

    def make(seconds=0.6, rate=8000, channels=1, pitch=220.0):
        time = torch.arange(round(seconds * rate)) / rate
        parts = []
        for channel in range(channels):
            note = pitch * 2 ** ((time // 0.15 * 5 + channel * 3) % 12 / 12)
            parts.append(0.4 * torch.sin(2 * torch.pi * note * time) * torch.exp(-8 * (time % 0.15)))
        return torch.stack(parts)

    return make


@pytest.fixture
def wav(tmp_path, tune):
    """A short WAV file."""
    path = tmp_path / "tune.wav"
    sounds.write(path, tune(), 8000)
    return path
