"""Style as batch-normalization statistics: mean and standard deviation per channel (Li, Wang, Liu and Hou 2017)."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import add_vector, position_count, square_sum, value_sum


@dataclass(frozen=True, eq=False)
class MomentsLoss(StyleLoss):
    r"""The squared differences of every channel's mean and standard deviation, of the image (F) and the style (S).

    .. math:: L = \frac{1}{N} \sum_i (\mu^F_i - \mu^S_i)^2 + (\sigma^F_i - \sigma^S_i)^2, \qquad
       \frac{\partial L}{\partial F_{ki}} = \frac{2}{N M} \Big(\mu^F_i - \mu^S_i
       + \frac{\sigma^F_i - \sigma^S_i}{\sigma^F_i} (F_{ki} - \mu^F_i)\Big)

    for N filters i and M positions k, with :math:`\sigma_i^2 = \frac{1}{M} \sum_k F_{ki}^2 - \mu_i^2 + \epsilon`: the
    loss "BN" of Li et al., "Demystifying Neural Style Transfer".

    Differs from the paper: epsilon, a millionth of the style's mean square. Without it the derivative has no limit where
    a channel is the same everywhere.

    Args:
        target: the style's mean value and mean square per channel, (B, 2, C).
    """

    @classmethod
    def of(cls, features: Tensor) -> Self:
        return cls(_sums(features) / position_count(features))

    def summarize(self, features: Tensor) -> Tensor:
        return _sums(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        (mean, deviation), (style_mean, style_deviation) = (
            self._moments(summary / positions),
            self._moments(self.target),
        )
        squares = (mean - style_mean).square() + (deviation - style_deviation).square()
        return squares.sum() / summary.shape[-1]

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        (mean, deviation), (style_mean, style_deviation) = (
            self._moments(summary / positions),
            self._moments(self.target),
        )
        scale = 2 * weight / (summary.shape[-1] * positions)
        slope = (deviation - style_deviation) / deviation
        add_vector(out, slope * scale, features)
        add_vector(out, (mean - style_mean - slope * mean) * scale)

    def _moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each (B, C), from mean value and mean square."""
        mean, square = sums.unbind(1)
        epsilon = 1e-6 * self.target[:, 1].mean() + 1e-12
        return mean, ((square - mean.square()).clamp(min=0) + epsilon).sqrt()


def _sums(features: Tensor) -> Tensor:
    return torch.stack([value_sum(features), square_sum(features)], dim=1)
