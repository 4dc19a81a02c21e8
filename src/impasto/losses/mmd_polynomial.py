"""Style as maximum mean discrepancy with a polynomial kernel of second order (Li, Wang, Liu and Hou 2017)."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import add_product, add_vector, moment_sums, position_count


@dataclass(frozen=True, eq=False)
class PolynomialMMDLoss(StyleLoss):
    r"""The discrepancy under :math:`k(x, y) = (x^T y + c)^2`: Gram matrices and mean features together.

    .. math:: L = \frac{1}{4 N^2} \mathrm{MMD}^2
       = \frac{1}{4 N^2} \Big(\sum_{ij} \Delta_{ij}^2 + 2 c \sum_i \delta_i^2\Big), \qquad
       \frac{\partial L}{\partial F} = \frac{1}{N^2 M} (F \Delta + c \, 1 \delta^T)

    for N filters and M positions, with :math:`\Delta = \frac{1}{M} F^T F - \frac{1}{M_s} S^T S` and
    :math:`\delta = \mu^F - \mu^S`; F and S are (positions, filters) matrices of the image and the style. It follows from
    :math:`(x^T y + c)^2 = \langle x x^T, y y^T \rangle + 2 c \, x^T y + c^2`, whose constant cancels.

    With c = 0 this is E_l of Gatys, Ecker and Bethge (2016) exactly, so that Gram matching is MMD with a kernel:
    E_l = MMD^2 / (4 N^2) (Li et al., "Demystifying Neural Style Transfer").

    Args:
        target: the style's mean products and, as a last column, mean values, (B, C, C + 1).
        offset: c, in units of squared features.
    """

    offset: float

    @classmethod
    def of(cls, features: Tensor, offset: float | None = None) -> Self:
        """The loss whose minimum, zero, is at ``features`` (B, C, *spatial).

        Args:
            features: of the style.
            offset: c; unless given, the style's mean of x^T x, which gives both parts weight in any network's units.
        """
        target = moment_sums(features) / position_count(features)
        if offset is None:
            offset = target.diagonal(dim1=1, dim2=2).sum(-1).mean().item()
        return cls(target, offset)

    def summarize(self, features: Tensor) -> Tensor:
        return moment_sums(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        squares = (summary / positions - self.target).square()
        return (squares[..., :-1].sum() + 2 * self.offset * squares[..., -1].sum()) / (4 * summary.shape[1] ** 2)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        difference = (summary / positions - self.target) * (weight / (features.shape[1] ** 2 * positions))
        add_product(out, features, difference[..., :-1])
        add_vector(out, difference[..., -1] * self.offset)
