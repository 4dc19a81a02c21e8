"""Spectra, levels and phases."""

import numpy as np
import pytest
import torch
from scipy.signal import stft

from impasto.sounds import Spectrogram, griffin_lim, onsets

SMALL = Spectrogram(256, 64)


def test_spectra_are_those_of_scipy():
    """Away from the ends, up to scipy's scale."""
    samples = torch.randn(1, 4000, dtype=torch.float64)
    found = SMALL.spectra(samples)[0].numpy()
    _, _, expected = stft(samples[0].numpy(), nperseg=256, noverlap=192, window="hann", boundary="even")
    assert np.abs(found[:, 4:50] - expected[:, 4:50] * 128).max() < 1e-9


@pytest.mark.parametrize("length", [257, 1000, 4096])
def test_samples_come_back(length):
    """Spectra, levels and phases hold the whole sound, of any length."""
    samples = torch.randn(2, length, dtype=torch.float64)
    spectra = SMALL.spectra(samples)
    reference = float(spectra.abs().max())
    levels = SMALL.levels(spectra, reference)
    assert levels.min() >= 0
    assert levels.max() == pytest.approx(1)
    assert levels.shape == (2, SMALL.frequencies, 1 + length // 64)
    again = torch.polar(SMALL.magnitudes(levels, reference), spectra.angle())
    assert torch.allclose(SMALL.samples(again, length), samples, atol=1e-9)


def test_griffin_lim_finds_phases(tune):
    """From phases that are all 0, its rounds bring the spectra of the samples near the magnitudes asked for."""
    samples = tune(1.0)
    magnitudes = SMALL.spectra(samples).abs()

    def error(rounds):
        found = griffin_lim(SMALL, magnitudes, magnitudes.to(torch.complex64), samples.shape[1], rounds)
        return float((SMALL.spectra(found).abs() - magnitudes).norm() / magnitudes.norm())

    assert error(0) > 3 * error(30)
    assert error(30) < 0.15


def test_no_rounds_keep_the_phases(tune):
    """Magnitudes with their own phases are the sound itself."""
    samples = tune()
    spectra = SMALL.spectra(samples)
    assert torch.allclose(griffin_lim(SMALL, spectra.abs(), spectra, samples.shape[1], 0), samples, atol=1e-5)


def test_onsets_are_where_something_begins():
    """Notes every 0.15 seconds peak every 0.15 seconds; what ends does not count."""
    levels = torch.zeros(1, 4, 12)
    levels[..., 3:5] = 1
    levels[:, :2, 8:] = 0.5
    assert onsets(levels).nonzero().flatten().tolist() == [2, 7]
    assert onsets(levels)[[2, 7]].tolist() == [1.0, 0.25]
