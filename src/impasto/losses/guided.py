"""Places: any style loss over one region, with a mask that says how much of every position belongs to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.losses.style import StyleLoss
from impasto.tiling import Window

_STEPS = 64  # steps of the weights between 0 and the largest: positions of one step are taken together


@dataclass(frozen=True, eq=False)
class GuidedLoss(Loss):
    r"""A loss of style whose means over positions are weighted, by the square of a guidance channel T.

    .. math:: w_k = \frac{T_k^2}{\sum_j T_j^2}, \qquad
       \frac{1}{M} \sum_k \phi(F_k) \;\to\; \sum_k w_k \phi(F_k)

    where :math:`\phi` is what the loss takes from the features of a position k. With Gram matrices,
    :math:`\phi(F_k) = F_k F_k^T`, this is the guided Gram matrix of Gatys et al. (2017, eq. 6 and 7), whose features are
    :math:`F_k T_k` with :math:`\sum T_k^2 = 1`. A loss of style is a function of such means, so that every one of them
    can be guided, unchanged.

    Differs from the paper: the weights are rounded to 64 steps between 0 and the largest of them, a fineness no painted
    mask has. Positions of equal weight go to the loss together, which knows no weights.

    Args:
        inner: the loss, aimed at the style.
        steps: the weights in steps, (\*spatial) uint8.
        unit: what a step means, such that the weights of all positions add up to their number.
        rows: positions taken out of the features at once.
    """

    inner: StyleLoss
    steps: Tensor
    unit: float
    rows: int = 65536

    @classmethod
    def around(cls, inner: StyleLoss, guide: Tensor) -> Self:
        r"""``inner`` over the region that ``guide`` shows: T, (\*spatial) in the grid of the layer, not 0 everywhere."""
        square = guide.square()
        steps = (square * (_STEPS / square.max())).round().to(torch.uint8)
        return cls(inner, steps, steps.numel() / int(steps.sum(dtype=torch.int64)))

    def summarize(self, features: Tensor) -> Tensor:
        empty = features.flatten(2)[:, :, :0]
        total = self.inner.summarize(empty)
        for weight, places in self._groups(features):
            total = total + self.inner.summarize(_taken(features, places)) * weight
        return total

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return self.inner.compare(summary, positions)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        target = out.movedim(1, -1)
        for own, places in self._groups(features):
            rows = _taken(features, places)
            part = torch.zeros_like(rows)
            self.inner.add_gradient(part, rows, summary, positions, weight * own)
            index = _index(places)
            target[index] += part.movedim(1, -1)

    def at(self, window: Window) -> Self:
        return replace(self, steps=self.steps[window.index[2:]])

    def _groups(self, features: Tensor) -> Iterator[tuple[float, tuple[Tensor, ...]]]:
        """Positions of equal weight, some thousand at a time, as one index per axis; positions of weight 0 are not there."""
        for step, order in self._order:
            for part in torch.split(order.to(features.device), self.rows):
                yield step * self.unit, torch.unravel_index(part.long(), self.steps.shape)

    @cached_property
    def _order(self) -> list[tuple[int, Tensor]]:
        """Every step above 0 that occurs, with the positions that have it, counted through."""
        flat = self.steps.flatten()
        order = flat.argsort(stable=True).to(torch.int32)
        counts = torch.bincount(flat.long(), minlength=1).tolist()
        parts = torch.split(order, counts)
        return [(step, part) for step, part in enumerate(parts) if step and len(part)]


def aimed(kind: type[StyleLoss], features: Tensor, guide: Tensor | None) -> StyleLoss:
    """A loss of a kind whose target is the region of a style's ``features`` that ``guide`` shows, None for all of it."""
    if guide is None:
        return kind.of(features)
    region = _taken(features, torch.nonzero(guide.to(features.device), as_tuple=True))
    return mixed(kind.of(region), features, guide, 1.0) if kind.additive else kind.of(region)


def mixed(loss: StyleLoss, features: Tensor, guide: Tensor | None, share: float) -> StyleLoss:
    """``loss`` with a ``share`` (0 to 1) of its target given over to a region of another style's ``features``."""
    if guide is None:
        return loss.mixed(features, share)
    if not loss.additive:
        return loss.mixed(_taken(features, torch.nonzero(guide.to(features.device), as_tuple=True)), share)
    guided = GuidedLoss.around(loss, guide)
    return loss.joined(guided.summarize(features) / guide.numel(), share)


def _taken(features: Tensor, places: tuple[Tensor, ...]) -> Tensor:
    """The features at some positions, (B, C, positions), with every position's channels side by side."""
    return features.movedim(1, -1)[_index(places)].movedim(-1, 1)


def _index(places: tuple[Tensor, ...]) -> tuple[slice | Tensor, ...]:
    return (slice(None), *places)
