"""Panoramas near their poles, where a row of the picture is a small circle of the sphere."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.engines import Evaluation, Evaluator

_DETAIL = 0.5  # pixels of the equator: the standard deviation of the finest spot on the sphere


def poles_smoothed(panorama: Tensor) -> Tensor:
    r"""A panorama (1, C, H, W) without detail finer than the equator's: each row blurred as its circle is short.

    Every row is convolved, all around, with the discrete Gaussian (Lindeberg 1990) of the standard deviation
    :math:`\frac{1}{2} \sqrt{\cos^{-2} \phi - 1}` pixels at latitude :math:`\phi`. What was painted into the rows next to a
    pole would otherwise be rays on the sphere. A symmetric linear map that keeps values in their range and means.
    """
    height, width = panorama.shape[2:]
    latitude = (0.5 - (torch.arange(height, dtype=torch.float64) + 0.5) / height) * math.pi
    variance = _DETAIL**2 * (1 / latitude.cos().square() - 1)
    frequency = torch.fft.rfftfreq(width, dtype=torch.float64)
    factors = torch.exp(variance[:, None] * (torch.cos(2 * math.pi * frequency) - 1))
    spectrum = torch.fft.rfft(panorama) * factors.to(panorama.device, panorama.dtype)
    smooth: Tensor = torch.fft.irfft(spectrum, n=width)
    return smooth


@dataclass(frozen=True, eq=False)
class PolesSmoothed:
    """An engine that sees panoramas evened; the gradient is evened with them, for the map is symmetric.

    Args:
        engine: what evaluates.
    """

    engine: Evaluator

    def evaluate(self, image: Tensor) -> Evaluation:
        """The value, its terms, and the gradient."""
        found = self.engine.evaluate(poles_smoothed(image))
        assert found.gradient is not None
        return replace(found, gradient=poles_smoothed(found.gradient))

    def measure(self, image: Tensor) -> Evaluation:
        """The value and its terms alone."""
        return self.engine.measure(poles_smoothed(image))
