"""Steadiness over time: how far a frame is from the one before, moved along the optical flow (Ruder et al. 2016)."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class TemporalLoss(Loss):
    r"""The mean squared difference between a frame x and a warped frame, weighed pixel by pixel.

    .. math:: L = \frac{1}{M C} \sum_{c, k} w_k (x_{c, k} - \omega_{c, k})^2, \qquad
       \frac{\partial L}{\partial x_{c, k}} = \frac{2 w_k}{M C} (x_{c, k} - \omega_{c, k})

    for M positions k and C channels (Ruder, Dosovitskiy and Brox 2016, "Artistic style transfer for videos", eq. 7).
    The weight w is 0 where the flow does not say what was there: at what was hidden before, and at edges of motion.

    Several earlier frames that have weights of their own give the same gradient as one: their mean by these weights, with
    the sum of the weights.

    Args:
        target: omega, (B, C, *spatial): the earlier frame, warped, or the part that one window sees.
        weights: w, (B, 1, *spatial), 0 or more.
        device: where windows are computed, if not where the target is.
    """

    target: Tensor
    weights: Tensor
    device: torch.device | None = None

    def summarize(self, features: Tensor) -> Tensor:
        squares = (features - self.target).square_()
        return squares.mul_(self.weights).sum(dtype=accumulator(squares))

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / (positions * self.target.shape[0] * self.target.shape[1])

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        scale = 2 * weight / (positions * features.shape[0] * features.shape[1])
        out.add_((features - self.target).mul_(self.weights), alpha=scale)

    def at(self, window: Window) -> Self:
        where = self.device or self.target.device
        return replace(self, target=self.target[window.index].to(where), weights=self.weights[window.index].to(where))
