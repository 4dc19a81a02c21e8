"""Spectrograms as a picture."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from impasto.images.sheet import SheetTile, Strip, draw
from impasto.sounds import Spectrogram

_HEIGHT, _WIDTH = 220, 900  # pixels of one spectrogram, at most
_LOWEST = 50.0  # Hz
_COLORS = ((0.0, 0.0, 0.02), (0.25, 0.06, 0.42), (0.72, 0.21, 0.33), (0.98, 0.58, 0.16), (0.99, 1.0, 0.75))


def sheet(levels: Sequence[Tensor], names: Sequence[str], spectrogram: Spectrogram, rate: int) -> Tensor:
    """Spectrograms below one another, (1, 3, H, W): time to the right, frequency up on a logarithmic scale.

    Args:
        levels: (channels, frequencies, times) in [0, 1] of each sound.
        names: of each.
        spectrogram: that they were made by.
        rate: samples per second.
    """
    longest = max(one.shape[-1] for one in levels)
    strips = []
    for one, name in zip(levels, names, strict=True):
        seconds = one.shape[-1] * spectrogram.hop / rate
        width = max(1, round(_WIDTH * one.shape[-1] / longest))
        line = f"{name}: {seconds:.2f} s, {_LOWEST:.0f} to {rate / 2:.0f} Hz"
        strips.append(Strip((SheetTile(_drawn(one, width, rate), (line,)),)))
    return draw(strips)


def _drawn(levels: Tensor, width: int, rate: int) -> Tensor:
    """One spectrogram, its channels averaged, (1, 3, H, W)."""
    mean = levels.mean(0).clamp(0, 1).cpu()
    octaves = torch.linspace(math.log2(rate / 2), math.log2(min(_LOWEST, rate / 4)), _HEIGHT)
    place = 2**octaves / (rate / 2) * (mean.shape[0] - 1)
    below = place.floor().long().clamp(max=mean.shape[0] - 2)
    rows = torch.lerp(mean[below], mean[below + 1], (place - below)[:, None])
    columns = torch.linspace(0, mean.shape[1] - 1, width).round().long()
    return _colored(rows[:, columns]).permute(2, 0, 1)[None]


def _colored(values: Tensor) -> Tensor:
    """Values in [0, 1] as colors (..., 3), from black over purple and orange to white."""
    colors = torch.tensor(_COLORS)
    place = values * (len(colors) - 1)
    below = place.floor().long().clamp(max=len(colors) - 2)
    return torch.lerp(colors[below], colors[below + 1], (place - below)[..., None])
