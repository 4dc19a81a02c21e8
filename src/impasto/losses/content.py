"""Content: the squared error of features (Gatys, Ecker and Bethge 2016, eq. 1 and 2)."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class ContentLoss(Loss):
    r"""Half the mean squared error between features F and the content image's features P.

    .. math:: L = \frac{1}{2 N M} \sum_{ij} (F_{ij} - P_{ij})^2, \qquad
       \frac{\partial L}{\partial F_{ij}} = \frac{F_{ij} - P_{ij}}{N M}

    for N filters and M positions. Where F is zero because of its ReLU, the encoder's backward pass drops the
    derivative; that is the case F < 0 of the paper's eq. 2.

    Differs from the paper: eq. 1 is the sum, N M times this. The mean keeps a weight's meaning when the size of the
    image changes.

    Args:
        target: P, (B, C, *spatial): the features of the content image, or of the part one window sees.
        device: where windows are computed, if not where the target is.
    """

    target: Tensor
    device: torch.device | None = None

    def summarize(self, features: Tensor) -> Tensor:
        difference = features.sub(self.target)
        return difference.square_().sum(dtype=accumulator(features)) / 2

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / (self.target.shape[0] * self.target.shape[1] * positions)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        scale = weight / (features.shape[0] * features.shape[1] * positions)
        out.add_(features - self.target, alpha=scale)  # the difference first: it is 0 where F is P

    def at(self, window: Window) -> Self:
        return type(self)(self.target[window.index].to(self.device or self.target.device))
