"""Activation: how strongly one filter fires, to be raised (Erhan et al. 2009; Simonyan, Vedaldi and Zisserman 2014)."""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from impasto.losses.base import Loss
from impasto.statistics import accumulator
from impasto.tiling import Window


@dataclass(frozen=True, eq=False)
class ActivationLoss(Loss):
    r"""The negative activation of a unit, or the negative mean activation of a channel, so that descending raises it.

    .. math:: L = -F_{ck} \quad\text{or}\quad L = -\frac{1}{M} \sum_k F_{ck}, \qquad
       \frac{\partial L}{\partial F_{ck}} = -1 \quad\text{or}\quad -\frac{1}{M}

    for channel c and M positions k. Without bounds on the image it has no minimum.

    Args:
        channel: c.
        position: k, one number per axis, counted from the first position of the features; None for the channel.
    """

    channel: int
    position: tuple[int, ...] | None = None

    def summarize(self, features: Tensor) -> Tensor:
        return self._chosen(features).sum(dtype=accumulator(features)) / features.shape[0]

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return -summary if self.position is not None else -summary / positions

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        count = features.shape[0] * (1 if self.position is not None else positions)
        self._chosen(out).sub_(weight / count)

    def at(self, window: Window) -> Self:
        if self.position is None:
            return self
        return replace(self, position=tuple(k - a for k, a in zip(self.position, window.start, strict=True)))

    def _chosen(self, features: Tensor) -> Tensor:
        """The view of the values that count; it is empty in a window that the position lies outside of."""
        view = features[:, self.channel]
        for axis, place in enumerate(self.position or (), start=1):
            inside = 0 <= place < view.shape[axis]
            view = view.narrow(axis, place if inside else 0, int(inside))
        return view
