"""Style as maximum mean discrepancy with the linear kernel: mean features (Li, Wang, Liu and Hou 2017)."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import add_vector, position_count, value_sum


@dataclass(frozen=True, eq=False)
class LinearMMDLoss(StyleLoss):
    r"""The squared distance between the mean features of the image (F) and the style (S).

    .. math:: L = \frac{1}{N} \mathrm{MMD}^2 = \frac{1}{N} |\mu^F - \mu^S|^2, \qquad
       \frac{\partial L}{\partial F_{ki}} = \frac{2}{N M} (\mu^F_i - \mu^S_i)

    for N filters i and M positions k. MMD is the maximum mean discrepancy of Gretton et al. (2012), in its biased
    estimate, which is exact for the positions at hand: the mean of :math:`k(x, y)` over all pairs of the image's
    positions, plus that over the style's, less twice that over pairs of one of each. Here :math:`k(x, y) = x^T y`.

    Args:
        target: the style's mean features, (B, C).
    """

    @classmethod
    def of(cls, features: Tensor) -> Self:
        return cls(value_sum(features) / position_count(features))

    def summarize(self, features: Tensor) -> Tensor:
        return value_sum(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return (summary / positions - self.target).square().sum() / summary.shape[-1]

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        scale = 2 * weight / (features.shape[1] * positions)
        add_vector(out, (summary / positions - self.target) * scale)
