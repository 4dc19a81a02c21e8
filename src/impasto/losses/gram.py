"""Style: the squared difference of Gram matrices (Gatys, Ecker and Bethge 2016, eq. 3 to 6)."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import add_product, position_count, product_sum


@dataclass(frozen=True, eq=False)
class GramLoss(StyleLoss):
    r"""E_l, the squared distance between Gram matrices G of the image and A of the style, per layer.

    .. math:: E_l = \frac{1}{4 N^2} \sum_{ij} \Big(\frac{G_{ij}}{M} - \frac{A_{ij}}{M_a}\Big)^2, \qquad
       \frac{\partial E_l}{\partial F} = \frac{1}{N^2 M} F \Big(\frac{G}{M} - \frac{A}{M_a}\Big)

    for N filters, M positions of the image and M_a of the style, with F as a (positions, filters) matrix and
    :math:`G = F^T F`. Where F is zero because of its ReLU, the encoder's backward pass drops the derivative (the case
    F < 0 of the paper's eq. 6).

    Differs from the paper: each Gram matrix is divided by its own number of positions, so images of different sizes
    compare; for equal sizes this is exactly the paper's 1 / (4 N^2 M^2) sum (G - A)^2.

    Args:
        target: A / M_a, (B, C, C).
    """

    @classmethod
    def of(cls, features: Tensor) -> Self:
        return cls(product_sum(features) / position_count(features))

    def summarize(self, features: Tensor) -> Tensor:
        return product_sum(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        channels = summary.shape[-1]
        return (summary / positions - self.target).square().sum() / (4 * channels**2)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        scale = weight / (features.shape[1] ** 2 * positions)
        add_product(out, features, (summary / positions - self.target) * scale)
