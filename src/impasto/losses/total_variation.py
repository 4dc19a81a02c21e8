"""Smoothness: the squared differences of neighboring values (Mahendran and Vedaldi 2015, eq. 4 with beta = 2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class TotalVariationLoss(Loss):
    r"""The mean over positions of the squared differences between neighbors, summed over channels and axes.

    .. math:: L = \frac{1}{M} \sum_{c, a, k} (x_{c, k + e_a} - x_{c, k})^2, \qquad
       \frac{\partial L}{\partial x_{c, k}} = \frac{2}{M} \sum_a
       \big((x_{c, k} - x_{c, k - e_a}) - (x_{c, k + e_a} - x_{c, k})\big)

    for M positions k and axes a; a difference that would leave the image is left out. Meant for the layer ``image``,
    whose values are RGB in [0, 1], and equally defined for any features in any number of dimensions.

    Args:
        core: the extents of the window whose positions are counted; None counts all. The features of a window that is
            not at the far border include one position more, which is only looked at.
    """

    margin = 1
    core: tuple[int, ...] | None = None

    def summarize(self, features: Tensor) -> Tensor:
        kind = accumulator(features)
        parts = [part.diff(dim=axis).square_().sum(dtype=kind) for axis, part in self._owned(features)]
        return torch.stack(parts).sum()

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / positions

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        for (axis, part), (_, gradient) in zip(self._owned(features), self._owned(out), strict=True):
            step = part.diff(dim=axis).mul_(2 * weight / positions)
            length = step.shape[axis]  # 0 too where the window has no positions
            gradient.narrow(axis, part.shape[axis] - length, length).add_(step)
            gradient.narrow(axis, 0, length).sub_(step)

    def at(self, window: Window) -> Self:
        return type(self)(tuple(b - a for a, b in zip(window.start, window.stop, strict=True)))

    def _owned(self, features: Tensor) -> Iterator[tuple[int, Tensor]]:
        """For each axis, the view whose differences along that axis belong to the window."""
        core = self.core or tuple(features.shape[2:])
        for axis in range(2, features.dim()):
            part = features
            for other, extent in enumerate(core, start=2):
                reach = extent + 1 if other == axis else extent
                part = part.narrow(other, 0, min(reach, part.shape[other]))
            yield axis, part
