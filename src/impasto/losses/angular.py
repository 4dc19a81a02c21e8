"""Content as the directions of features: the angle at every position to the photo's."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class AngularLoss(Loss):
    r"""The mean of 1 minus the cosine between features F and the photo's features P.

    .. math:: D = \frac{1}{M} \sum_k (1 - c_k), \qquad
       c_k = \frac{\langle F_k, P_k \rangle + w^2}{|F_k|_w |P_k|_w}, \qquad |F_k|_w = \sqrt{|F_k|^2 + w^2}

    .. math:: \frac{\partial D}{\partial F_k} = -\frac{1}{M |F_k|_w}
       \Big(\frac{P_k}{|P_k|_w} - c_k \frac{F_k}{|F_k|_w}\Big)

    for M positions k, and w, which is one more feature everywhere, so that positions without features agree. It is 0 where
    all directions agree, and at most 1 after a ReLU. How strong features are, which a style changes everywhere, it leaves
    open. It is half of the distance of LPIPS (Zhang et al. 2018, eq. 1) in one layer and without the learned weights.

    Args:
        target: P, (B, C, *spatial): the features of the photo, or of the part one window sees.
        weak: w, in the units of the features, above 0.
        device: where windows are computed, if not where the target is.
    """

    target: Tensor
    weak: float
    device: torch.device | None = None

    def summarize(self, features: Tensor) -> Tensor:
        return (1 - self._cosines(features, self._lengths(features))).sum()

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / (positions * self.target.shape[0])

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        scale = weight / (positions * features.shape[0])
        lengths = self._lengths(features)
        out.addcmul_(features, (self._cosines(features, lengths) / lengths.square() * scale).to(out.dtype))
        out.addcmul_(self.target, (-scale / (lengths * self._target_lengths)).to(out.dtype))

    def at(self, window: Window) -> Self:
        return replace(self, target=self.target[window.index].to(self.device or self.target.device))

    def _cosines(self, features: Tensor, lengths: Tensor) -> Tensor:
        products = (features * self.target).sum(1, keepdim=True, dtype=lengths.dtype)
        return (products + self.weak**2) / (lengths * self._target_lengths)

    @cached_property
    def _target_lengths(self) -> Tensor:
        return self._lengths(self.target)

    def _lengths(self, features: Tensor) -> Tensor:
        """The length of every position's features with w among them, (B, 1, *spatial)."""
        plain = torch.linalg.vector_norm(features, dim=1, keepdim=True, dtype=accumulator(features))
        squares: Tensor = plain.square()
        return (squares + self.weak**2).sqrt()
