"""What every loss is: a summary that adds over positions, a comparison of the total, and a closed-form gradient."""

from abc import ABC, abstractmethod
from typing import Self

from torch import Tensor

from impasto.tiling import Window


class Loss(ABC):
    """A number computed from the features of one layer, split so that it can be evaluated tile by tile.

    For features F (B, C, *spatial) cut into disjoint windows F_1 ... F_T::

        loss = compare(sum_t at(window_t).summarize(F_t), positions)

    where ``positions`` is the number of positions of the whole layer. A whole image is the case T = 1. The gradient is
    pulled back window by window from the same total, so tiling changes nothing but the order of a sum.
    """

    margin: int = 0
    """Positions beyond its window, on the far side of each axis, that a window's features must include (0 for most)."""

    splits: bool = True
    """Whether the gradient is that of the whole when windows are pulled back one by one. If not, an engine refuses tiles."""

    @abstractmethod
    def summarize(self, features: Tensor) -> Tensor:
        """The part of the loss that adds over positions, for one window's features."""

    @abstractmethod
    def compare(self, summary: Tensor, positions: int) -> Tensor:
        """The loss, a scalar, from the summary of all positions."""

    @abstractmethod
    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        """Add ``weight`` times the derivative of the loss with respect to one window's features to ``out``, in place.

        Args:
            out: (B, C, *spatial), as ``features``; receives the sum.
            features: the window's features.
            summary: the summary of *all* windows.
            positions: the number of positions of the whole layer.
            weight: the factor of this loss in the objective.
        """

    def at(self, window: Window) -> Self:  # noqa: ARG002 - pointwise losses restrict their target to it
        """This loss as one window sees it; losses whose target has no positions are the same everywhere."""
        return self

    def value(self, features: Tensor) -> Tensor:
        """The loss of whole features: ``compare(summarize(features), positions)``."""
        return self.compare(self.summarize(features), features[0, 0].numel())
