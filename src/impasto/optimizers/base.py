"""What an optimizer is: ``init`` makes a state, ``step`` makes the next one; nothing else is remembered anywhere."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from impasto.optimizers.vectors import length, pieces
from impasto.storage import MEMORY, Storage


class Point(Protocol):
    """A value and gradient, as an engine's evaluation has them."""

    @property
    def value(self) -> float:
        """The objective."""

    @property
    def gradient(self) -> Tensor | None:
        """Its derivative, of the image's shape."""


Evaluate = Callable[[Tensor], Point]


@dataclass(frozen=True)
class Bounds:
    """The box that the image stays in, from the first evaluation to the last: one for all values, or one for each."""

    low: float | Tensor = 0.0
    high: float | Tensor = 1.0

    def project(self, image: Tensor) -> Tensor:
        """The nearest image inside the box."""
        return torch.clamp(image, self.low, self.high)  # type: ignore[arg-type]

    def held(self, image: Tensor, gradient: Tensor) -> Tensor:
        """Where the image is at a bound that a descent along the negative gradient would push it through."""
        return (image <= self.low) & (gradient > 0) | (image >= self.high) & (gradient < 0)

    def project_(self, image: Tensor) -> Tensor:
        """The nearest image inside the box, in place where the box is one for all values."""
        return self.project(image) if self._of_positions else image.clamp_(self.low, self.high)  # type: ignore[arg-type]

    def free_(self, vector: Tensor, image: Tensor, gradient: Tensor) -> Tensor:
        """The vector with zeros where the image is held, in place."""
        parts = [(vector, image, gradient)] if self._of_positions else pieces(vector, image, gradient)
        for part, x, g in parts:
            part.masked_fill_(self.held(x, g), 0.0)
        return vector

    @property
    def _of_positions(self) -> bool:
        return isinstance(self.low, Tensor) or isinstance(self.high, Tensor)


UNIT = Bounds()
"""The box of images: every value in [0, 1]."""

__all__ = ["MEMORY", "UNIT", "Bounds", "Evaluate", "Optimizer", "Point", "State", "Storage", "root_mean_square"]


@dataclass(frozen=True, eq=False)
class State:
    """Where a descent is.

    Args:
        image: the current image, inside its bounds.
        point: the evaluation at ``image``.
        memory: what the method remembers besides: tensors, numbers, and lists of them, so that it can be saved.
        evaluations: how many evaluations were made so far.
        stalled: no step along any direction the method knows lowers the value any more.
    """

    image: Tensor
    point: Point
    memory: dict[str, object] = field(default_factory=dict)
    evaluations: int = 1
    stalled: bool = False

    @property
    def gradient(self) -> Tensor:
        """The derivative at ``image``."""
        assert self.point.gradient is not None
        return self.point.gradient


class Optimizer(ABC):
    """A method of descent inside a box."""

    bounds: Bounds
    storage: Storage

    def within(self, bounds: Bounds) -> Self:
        """The same method inside other bounds."""
        return replace(self, bounds=bounds)  # type: ignore[type-var]

    def init(self, image: Tensor, evaluate: Evaluate) -> State:
        """The state at ``image``, projected into the bounds, after one evaluation there."""
        start = self.bounds.project_(self.storage.empty_like(image).copy_(image))
        del image  # a large one should not wait beside its successor
        return State(start, evaluate(start))

    @abstractmethod
    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:
        """The state after one update, which takes at least one and at most ``budget`` evaluations."""


def root_mean_square(x: Tensor) -> float:
    """The root of the mean square of all values."""
    return length(x) / math.sqrt(x.numel())
