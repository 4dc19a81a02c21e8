"""One image evaluated in several views: the slices of a volume in batches, or a volume turned round.

A view is a part of the image, or the image with its axes in another order, as a torch tensor that shares the image's
memory. What such a view does is linear, and its transpose is written in one line: add to the same view of the gradient.
So a sum of engines over views is evaluated without a word about what the engines compute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from impasto.engines.evaluation import Evaluation

View = Callable[[Tensor], Tensor]
"""Makes a tensor (B, C, *spatial) that shares the memory of an image (1, C, *spatial)."""


class Evaluator(Protocol):
    """What an engine is to those who only evaluate: a value and a gradient, or the value alone."""

    def evaluate(self, image: Tensor, /) -> Evaluation:
        """The value, its terms, and the gradient at an image."""

    def measure(self, image: Tensor, /) -> Evaluation:
        """The value and its terms alone."""


@dataclass(frozen=True)
class Slices:
    """Slices of a volume (1, C, D, H, W) across one axis, as a batch of pictures (B, C, ...).

    Args:
        axis: the spatial axis that they cut across, 0 to 2.
        start: the first slice.
        stop: where to end, exclusively; None for the end of the axis.
        step: every so many slices.
    """

    axis: int
    start: int = 0
    stop: int | None = None
    step: int = 1

    def __call__(self, volume: Tensor) -> Tensor:
        """The slices."""
        return volume[0].movedim(1 + self.axis, 0)[self.start : self.stop : self.step]


@dataclass(frozen=True)
class AxisFirst:
    """A volume with one of its spatial axes, 0 to 2, brought to the first place."""

    axis: int

    def __call__(self, volume: Tensor) -> Tensor:
        """The volume, (1, C, *turned)."""
        return volume.movedim(2 + self.axis, 2)


@dataclass(frozen=True, eq=False)
class Part:
    """One view with the engine that evaluates it.

    Args:
        view: what it sees.
        engine: what evaluates that. The losses of style of a batch are the sums over its items.
        weight: its factor in the sum.
    """

    view: View
    engine: Evaluator
    weight: float


@dataclass(frozen=True, eq=False)
class WeightedSum:
    r"""The weighted sum of engines over views, :math:`f(x) = \sum_v w_v f_v(V_v x)`.

    Its gradient is :math:`\sum_v w_v V_v^T \nabla f_v(V_v x)`. Losses of one name are added up with the same weights.
    Views are evaluated one after the other, so only one of them needs memory for its activations at a time.

    Args:
        parts: the views.
        gray: evaluate the image's mean over channels, shown in all of them. The gradient is then the same in every
            channel, so that a gray image stays gray.
    """

    parts: Sequence[Part]
    gray: bool = False

    def evaluate(self, image: Tensor) -> Evaluation:
        """The sum's value, its terms, and its gradient at ``image`` (1, C, *spatial)."""
        shown = self._shown(image)
        gradient = torch.zeros_like(image)
        found = []
        for part in self.parts:
            evaluation = part.engine.evaluate(part.view(shown))
            assert evaluation.gradient is not None
            part.view(gradient).add_(evaluation.gradient, alpha=part.weight)
            found.append(evaluation)
        return self._sum(found, self._shown(gradient))

    def measure(self, image: Tensor) -> Evaluation:
        """The value and the terms alone; the gradient is None."""
        shown = self._shown(image)
        return self._sum([part.engine.measure(part.view(shown)) for part in self.parts], None)

    def _shown(self, image: Tensor) -> Tensor:
        """The image as it is seen: a projection, which is its own transpose."""
        return image.mean(1, keepdim=True).expand_as(image).contiguous() if self.gray else image

    def _sum(self, found: Sequence[Evaluation], gradient: Tensor | None) -> Evaluation:
        losses: dict[str, float] = {}
        weighted: dict[str, float] = {}
        for part, evaluation in zip(self.parts, found, strict=True):
            for total, terms in ((losses, evaluation.losses), (weighted, evaluation.weighted)):
                for name, value in terms.items():
                    total[name] = total.get(name, 0.0) + part.weight * value
        return Evaluation(sum(weighted.values()), losses, weighted, gradient)
