"""What style losses share: all but one compare means over positions, so they do not know where anything is."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import position_count


@dataclass(frozen=True, eq=False)
class StyleLoss(Loss):
    """A distance between two means over positions: the image's summary per position, and the style's.

    Args:
        target: the style's summary divided by its number of positions, of the shape of a summary.
    """

    pointwise: ClassVar[bool] = True
    """Whether it looks at positions one by one, so that they can be weighed and put in any order."""

    additive: ClassVar[bool] = True
    """Whether its target is a mean over the style's positions. If not, it is a sample of them."""

    target: Tensor

    @classmethod
    @abstractmethod
    def of(cls, features: Tensor) -> Self:
        """The loss whose minimum, zero, is at the statistics of ``features`` (B, C, *spatial)."""

    def mixed(self, features: Tensor, share: float) -> Self:
        """This loss with ``share`` (0 to 1) of its target given over to the features of another style.

        The new target is that of one style which shows the first at 1 - share of its positions and the other at the rest.
        What else the loss took from its style stays.
        """
        return self.joined(self.summarize(features) / position_count(features), share)

    def joined(self, target: Tensor, share: float) -> Self:
        """This loss with ``share`` (0 to 1) of its target given over to that of a loss aimed at another style."""
        return replace(self, target=torch.lerp(self.target, target, share))

    def size(self) -> float:
        """The loss of an image without features, whose summary is zero: what a relative loss is relative to."""
        return self.compare(torch.zeros_like(self.target), 1).item()
