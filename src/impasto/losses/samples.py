"""Samples of a style that stand for all of it: drawn, and mixed with those of another style."""

import torch
from torch import Tensor

from impasto.tiling import Window

MOST = 1024
"""Samples of a style: a search among them costs what a convolution with so many filters does."""


def random_subset(count: int, most: int, device: torch.device) -> Tensor:
    """The numbers of ``most`` of so many things, at random and always the same; of all where there are fewer."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:most].to(device)


def positions_within(numbers: Tensor, extent: tuple[int, ...], window: Window) -> tuple[Tensor, Tensor]:
    """Which of these positions of a layer, numbered over its extent, lie in a window; and their numbers over the window."""
    places = torch.unravel_index(numbers, extent)
    inside = torch.ones_like(numbers, dtype=torch.bool)
    local = torch.zeros_like(numbers)
    for place, start, stop in zip(places, window.start, window.stop, strict=True):
        inside &= (place >= start) & (place < stop)
        local = local * (stop - start) + place - start
    return inside, local[inside]


def mixed_samples(own: Tensor, other: Tensor, share: float) -> Tensor:
    """Samples (J, ...) of which a ``share`` (0 to 1) is of another style, ``MOST`` at most.

    What is left of the first is taken evenly, so styles mixed into it before keep their proportions.
    """
    if share in (0, 1):
        return other if share else own
    total = min(MOST, len(own) / (1 - share), len(other) / share)
    return torch.cat([_thinned(own, total * (1 - share)), _thinned(other, total * share)])


def _thinned(samples: Tensor, count: float) -> Tensor:
    """So many of the samples, evenly spaced, at least one."""
    most = max(1, round(count))
    return samples[torch.arange(most, device=samples.device) * len(samples) // most]
