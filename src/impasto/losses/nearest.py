"""Style as single features, each to be like some feature of the painting (Kolkin, Salavon and Shakhnarovich 2019)."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from impasto.losses import samples
from impasto.losses.style import StyleLoss
from impasto.statistics import accumulator, add_by_rows, by_rows, matrices, sum_by_rows

_WEAK = 0.03


@dataclass(frozen=True, eq=False)
class NearestLoss(StyleLoss):
    r"""The cosine distance of the image's features at every position to the nearest of the style's.

    .. math:: L = \frac{1}{M} \sum_k (1 - c_k), \qquad
       c_k = \max_j \frac{\langle F_k, S_j \rangle}{|F_k| |S_j|}, \qquad
       \frac{\partial L}{\partial F_k} = -\frac{1}{M |F_k|} \Big(\frac{S_j}{|S_j|} - c_k \frac{F_k}{|F_k|}\Big)

    for M positions k. A Gram matrix can be met by features that the painting has nowhere, so long as they add up to its
    sums; beside it, this loss asks for ones that it has. How strong they are and how often they come it leaves open, so
    alone it is no style. It is one side of the relaxed earth mover's distance (Kolkin et al. 2019, eq. 6 and 7) at the
    painting's own features.

    Differs from the paper: the side that asks that all of the painting be used is left to the Gram matrix; the features of
    one layer stand for themselves, not for a column through all layers; and of each style 1024 at random stand for all.
    Features weaker than 3 % of the style's mean are divided by that, so that the slope is bounded.

    Args:
        target: the style's features S, (J, C). Of several styles there are as many as their shares say.
    """

    additive = False
    _searched: WeakTensorKeyDictionary = field(default_factory=WeakTensorKeyDictionary, init=False, repr=False)

    @classmethod
    def of(cls, features: Tensor, most: int = samples.MOST) -> Self:
        """The loss that is zero where every position has one of ``features`` (B, C, *spatial), of any strength.

        Args:
            features: of the style.
            most: J at most; drawn at random, always the same, where there are more.
        """
        rows = torch.cat(matrices(features))
        return cls(rows[samples.random_subset(len(rows), most, rows.device)].contiguous())

    def summarize(self, features: Tensor) -> Tensor:
        nearest = self._nearest(features)
        found = iter(nearest)
        summary = sum_by_rows(features, lambda rows: (1 - self._alike(rows, next(found))[2]).sum(0, keepdim=True)).sum()
        if not summary.requires_grad:
            self._searched[features] = nearest  # for their gradient, as long as they are there
        return summary

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary.clamp(min=0) / positions  # rounding may leave it below

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        known = self._searched.pop(features, None)
        found = iter(known if known is not None else self._nearest(features))

        def slope(rows: Tensor, item: int) -> Tensor:  # noqa: ARG001 - every item has the same style
            direction, length, correlation = self._alike(rows, next(found))
            along = torch.where(length > self.least, correlation / length, 0)[
                :, None
            ]  # a weak one has no length to lose
            return ((along * rows - direction) * (weight / positions / length)[:, None]).to(out.dtype)

        add_by_rows(out, features, slope)

    def mixed(self, features: Tensor, share: float) -> Self:
        """This loss with ``share`` (0 to 1) of its features given over to those of another style."""
        return self.joined(type(self).of(features).target, share)

    def joined(self, target: Tensor, share: float) -> Self:
        return replace(self, target=samples.mixed_samples(self.target, target, share))

    def size(self) -> float:
        """The loss of an image without features: 1."""
        return 1.0

    def _alike(self, rows: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of every row (positions, C) the nearest direction, its own length, and the correlation of both."""
        kind = accumulator(rows)
        length = torch.linalg.vector_norm(rows, dim=1, dtype=kind).clamp(min=self.least)
        direction = self.directions[nearest]
        return direction, length, (rows * direction).sum(1, dtype=kind) / length

    @torch.no_grad()
    def _nearest(self, features: Tensor) -> list[Tensor]:
        """The number of the nearest direction for every position, some thousand positions at a time."""
        directions = self.directions.t()
        return [(rows.to(directions.dtype) @ directions).argmax(1) for rows in by_rows(features)]

    @cached_property
    def directions(self) -> Tensor:
        """The style's features, of length 1."""
        exact = self.target.to(accumulator(self.target))
        lengths = torch.linalg.vector_norm(exact, dim=1, keepdim=True).clamp(min=1e-12)
        directions: Tensor = exact / lengths
        return directions

    @cached_property
    def least(self) -> float:
        """The length that shorter features are taken to have."""
        lengths = torch.linalg.vector_norm(self.target, dim=1, dtype=accumulator(self.target))
        return max(_WEAK * float(lengths.mean()), 1e-12)
