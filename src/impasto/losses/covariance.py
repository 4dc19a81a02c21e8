"""Style as the covariance of features: the Gram matrix after the mean has been taken off."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import add_product, add_vector, mean_and_covariance, moment_sums, position_count


@dataclass(frozen=True, eq=False)
class CovarianceLoss(StyleLoss):
    r"""The squared distance between the covariances of the image's features and the style's: centered Gram matrices.

    .. math:: L = \frac{1}{4 N^2} \sum_{ij} (C^F_{ij} - C^S_{ij})^2, \qquad
       C = \frac{1}{M} F^T F - \mu \mu^T, \qquad
       \frac{\partial L}{\partial F} = \frac{1}{N^2 M} (F - 1 \mu^T) (C^F - C^S)

    for N filters and M positions, with F as a (positions, filters) matrix and :math:`\mu` its mean position: E_l of
    Gatys, Ecker and Bethge (2016) for features whose mean was subtracted. As a distance between second-order statistics
    it is the CORAL loss of Sun and Saenko (2016). Blind to the mean of every filter.

    Args:
        target: the style's mean products and, as a last column, mean values, (B, C, C + 1).
    """

    @classmethod
    def of(cls, features: Tensor) -> Self:
        return cls(moment_sums(features) / position_count(features))

    def summarize(self, features: Tensor) -> Tensor:
        return moment_sums(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        _, difference = self._difference(summary, positions)
        return difference.square().sum() / (4 * difference.shape[-1] ** 2)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        mean, difference = self._difference(summary, positions)
        matrix = difference * (weight / (features.shape[1] ** 2 * positions))
        add_product(out, features, matrix)
        add_vector(out, -(mean[:, None] @ matrix)[:, 0])

    def size(self) -> float:
        """The loss of an image without features; of a style without variance, that of a faint variance.

        A style that is the same everywhere has no covariance but what rounding leaves, and nothing is relative to that.
        """
        products = self.target[..., :-1]
        return max(super().size(), 1e-6 * products.square().sum().item() / (4 * products.shape[-1] ** 2))

    def _difference(self, summary: Tensor, positions: int) -> tuple[Tensor, Tensor]:
        """The image's mean, and its covariance less the style's."""
        mean, covariance = mean_and_covariance(summary / positions)
        return mean, covariance - mean_and_covariance(self.target)[1]
