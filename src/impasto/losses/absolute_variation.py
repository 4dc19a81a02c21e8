"""Smoothness as neural-style has it: the absolute differences of neighboring values (Rudin, Osher and Fatemi 1992)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.losses.total_variation import TotalVariationLoss
from impasto.statistics import accumulator


@dataclass(frozen=True, eq=False)
class AbsoluteVariationLoss(TotalVariationLoss):
    r"""The mean over positions of the absolute differences between neighbors, summed over channels and axes.

    .. math:: L = \frac{1}{M} \sum_{c, a, k} |x_{c, k + e_a} - x_{c, k}|, \qquad
       \frac{\partial L}{\partial x_{c, k}} = \frac{1}{M} \sum_a
       \big(\mathrm{sgn}(x_{c, k} - x_{c, k - e_a}) - \mathrm{sgn}(x_{c, k + e_a} - x_{c, k})\big)

    for M positions k and axes a, with sgn 0 = 0; a difference that would leave the image is left out. Unlike squares, it
    lets edges stay sharp and flattens what is between them.
    """

    def summarize(self, features: Tensor) -> Tensor:
        kind = accumulator(features)
        parts = [part.diff(dim=axis).abs_().sum(dtype=kind) for axis, part in self._owned(features)]
        return torch.stack(parts).sum()

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        for (axis, part), (_, gradient) in zip(self._owned(features), self._owned(out), strict=True):
            step = part.diff(dim=axis).sign_().mul_(weight / positions)
            length = step.shape[axis]  # 0 too where the window has no positions
            gradient.narrow(axis, part.shape[axis] - length, length).add_(step)
            gradient.narrow(axis, 0, length).sub_(step)
