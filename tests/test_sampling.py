"""Resampling."""

import numpy as np
import pytest
import torch
from scipy.signal import resample_poly

from impasto.sampling import resample


def bell(rate, seconds=0.5, frequency=440.0):
    """A tone that begins and ends in silence, sampled at a rate."""
    time = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    return torch.sin(2 * torch.pi * frequency * time) * torch.sin(torch.pi * time / seconds) ** 4


@pytest.mark.parametrize(("old", "new"), [(8000, 11025), (11025, 8000), (44100, 48000), (8000, 8001), (360, 250.5)])
def test_what_was_sampled_is_sampled_again(old, new):
    """A tone below both limits comes out as if it had been sampled at the new rate, to the end."""
    frequency = 440.0 if min(old, new) > 1000 else 20.0
    found, expected = resample(bell(old, 2.0, frequency), old, new), bell(new, 2.0, frequency)
    assert abs(len(found) - len(expected)) <= 1
    both = min(len(found), len(expected))
    assert (found[:both] - expected[:both]).abs().max() < 1e-6


@pytest.mark.parametrize(("up", "down"), [(3, 2), (2, 3), (1, 4)])
def test_agrees_with_a_polyphase_filter(up, down):
    """On noise without high frequencies, away from the ends."""
    noise = np.convolve(np.random.default_rng(0).normal(size=4000), np.hanning(61) / 30, "same")
    found = resample(torch.from_numpy(noise), down, up).numpy()
    expected = resample_poly(noise, up, down, window=("kaiser", 12.0))
    assert np.abs(found - expected)[200:-200].max() < 2e-2 * noise.std()


def test_what_is_too_high_is_gone():
    """A tone above half the new rate leaves nothing, and none folds back."""
    tone = bell(8000, 0.5, 3000.0)
    assert resample(tone, 8000, 4000).abs().max() < 1e-3


def test_the_same_rate_changes_nothing():
    """Not even by rounding."""
    signal = torch.rand(2, 17)
    assert resample(signal, 360, 360.0) is signal
    assert resample(signal, 1000, 100).shape == (2, 2)
    assert resample(signal, 1000, 1).shape == (2, 1)
