"""Sampling rates of signals: from one to another."""

import math
from fractions import Fraction

import torch
from torch import Tensor

_FINEST = 1000  # rates are taken as fractions with at most this denominator


def resample(signal: Tensor, old: float, new: float) -> Tensor:
    """A signal at another rate: band-limited, by cutting or extending its spectrum.

    Sample k of the result is the signal at k / ``new`` seconds. The signal is continued by its mirror image, so that its
    ends need not meet; what is above half the lower rate is removed.

    Args:
        signal: (..., n), sampled at ``old``.
        old: samples per second, or per any other unit.
        new: the same of the result, which has n new / old samples, rounded, and at least one.
    """
    count, ratio = signal.shape[-1], _ratio(old, new)
    if ratio == 1:
        return signal
    longer = _longer(count, ratio)
    place = torch.arange(2 * longer, device=signal.device)
    place = torch.where(place < longer, place, 2 * longer - 1 - place) % (2 * count)
    spectrum = torch.fft.rfft(signal[..., torch.where(place < count, place, 2 * count - 1 - place)])
    wanted = int(longer * ratio)
    kept = min(longer, wanted)
    spectrum = spectrum[..., : kept + 1].clone()
    spectrum[..., kept] = 0  # the lower rate's highest frequency has no phase
    result = torch.as_tensor(torch.fft.irfft(spectrum, n=2 * wanted)) * (wanted / longer)
    return result[..., : max(1, round(count * ratio))].contiguous()


def extent(count: int, old: float, new: float) -> int:
    """The most samples that :func:`resample` would have in memory: more than there are, where rates have much between them.

    >>> extent(1000, 360, 250), extent(1000, 2147483647, 44100)
    (1008, 2147483647)
    """
    ratio = _ratio(old, new)
    longer = _longer(count, ratio)
    return max(longer, int(longer * ratio))


def _ratio(old: float, new: float) -> Fraction:
    least = Fraction(1, _FINEST)
    return max(Fraction(new).limit_denominator(_FINEST), least) / max(Fraction(old).limit_denominator(_FINEST), least)


def _longer(count: int, ratio: Fraction) -> int:
    """Samples that last a whole number of new ones."""
    return math.ceil(count / ratio.denominator) * ratio.denominator
