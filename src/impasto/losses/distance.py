"""Content as the distance of colors: how far the picture's are from the photo's."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window

_ROUNDED = 0.02  # of [0, 1]: five levels of 255, below which distances are squares


@dataclass(frozen=True, eq=False)
class DistanceLoss(Loss):
    r"""The mean distance between the image x and the photo p, rounded off at 0 so that it has a slope everywhere.

    .. math:: L = \frac{1}{M} \sum_k \Big(\sqrt{|x_k - p_k|^2 + r^2} - r\Big), \qquad
       \frac{\partial L}{\partial x_k} = \frac{1}{M} \frac{x_k - p_k}{\sqrt{|x_k - p_k|^2 + r^2}}

    for M positions k, where the length is over channels, and r = 0.02. A mean of distances, not of their squares, leaves
    single places free to be far.

    Args:
        target: p, (B, C, *spatial): the photo, or the part that one window sees.
        device: where windows are computed, if not where the target is.
    """

    target: Tensor
    device: torch.device | None = None

    def summarize(self, features: Tensor) -> Tensor:
        return (self._lengths(features - self.target) - _ROUNDED).sum()

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary.clamp(min=0) / (positions * self.target.shape[0])  # rounding may leave it below

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        difference = features - self.target
        scale = weight / (positions * features.shape[0])
        out.add_(difference.mul_(scale / self._lengths(difference)))

    def at(self, window: Window) -> Self:
        return replace(self, target=self.target[window.index].to(self.device or self.target.device))

    def _lengths(self, difference: Tensor) -> Tensor:
        """The rounded length at every position, (B, 1, *spatial)."""
        plain = torch.linalg.vector_norm(difference, dim=1, keepdim=True, dtype=accumulator(difference))
        squares: Tensor = plain.square()
        return (squares + _ROUNDED**2).sqrt()
