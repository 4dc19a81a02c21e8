"""Sharpness: the squared difference of Laplacians (Li, Xu, Nie and Liu 2017, Laplacian-steered style transfer)."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.losses.neighborhood import Shape, members
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class SharpnessLoss(Loss):
    r"""The mean over positions of the squared differences between the Laplacians of the image x and the photo p.

    .. math:: L = \frac{1}{M} \sum_{c, k} \big(\Delta (x - p)\big)_{c, k}^2, \qquad
       \frac{\partial L}{\partial x} = \frac{2}{M} \Delta^T \Delta (x - p), \qquad
       (\Delta x)_k = \sum_a x_{k + e_a} + x_{k - e_a} - 2 x_k

    for M positions k and axes a, over the positions that have all their neighbors. The Laplacian sees edges and fine
    lines and no slow change of color, so these stay the photo's and as sharp as the photo's, whatever the colors become.
    Meant for the layer ``image``, whose values are RGB in [0, 1].

    Differs from the paper: no pooling before the Laplacian, which the levels from coarse to fine make up for, and a mean
    instead of a sum.

    Args:
        target: p, (B, C, *spatial), or the part that a window sees.
        core: the extents of the window whose blocks of 3 positions along every axis are counted; None counts all.
    """

    margin = 2
    target: Tensor
    core: Shape | None = None

    def summarize(self, features: Tensor) -> Tensor:
        return self._laplacian(features).square_().sum(dtype=accumulator(features))

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / positions

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        laplacian = self._laplacian(features).mul_(2 * weight / positions)
        sides = (3,) * (features.dim() - 2)
        for view, factor in zip(members(out, sides, self.core), _stencil(len(sides)), strict=True):
            if factor:
                view.add_(laplacian, alpha=factor)

    def at(self, window: Window) -> Self:
        return type(self)(self.target[window.reaching(self.margin, tuple(self.target.shape[2:])).index], window.shape)

    def _laplacian(self, features: Tensor) -> Tensor:
        """Of the image less the photo, at the middle of every block."""
        difference = features.to(accumulator(features)) - self.target
        sides = (3,) * (features.dim() - 2)
        views = zip(members(difference, sides, self.core), _stencil(len(sides)), strict=True)
        return torch.stack([view * factor for view, factor in views if factor]).sum(0)


def _stencil(dims: int) -> list[int]:
    """The Laplacian's factors in the order of a block's places: neighbors of the middle 1, the middle minus their number."""
    factors = []
    for place in range(3**dims):
        steps = sum(abs(place // 3**axis % 3 - 1) for axis in range(dims))
        factors.append({0: -2 * dims, 1: 1}.get(steps, 0))
    return factors
