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
    ratio = Fraction(new).limit_denominator(_FINEST) / Fraction(old).limit_denominator(_FINEST)
    if ratio == 1:
        return signal
    count = signal.shape[-1]
    longer = math.ceil(count / ratio.denominator) * ratio.denominator  # samples that last a whole number of new ones
    place = torch.arange(2 * longer, device=signal.device)
    place = torch.where(place < longer, place, 2 * longer - 1 - place) % (2 * count)
    spectrum = torch.fft.rfft(signal[..., torch.where(place < count, place, 2 * count - 1 - place)])
    wanted = int(longer * ratio)
    kept = min(longer, wanted)
    spectrum = spectrum[..., : kept + 1].clone()
    spectrum[..., kept] = 0  # the lower rate's highest frequency has no phase
    result = torch.as_tensor(torch.fft.irfft(spectrum, n=2 * wanted)) * (wanted / longer)
    return result[..., : max(1, round(count * ratio))].contiguous()
