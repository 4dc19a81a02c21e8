"""What an optimizer is: ``init`` makes a state, ``step`` makes the next one; nothing else is remembered anywhere."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


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
    """The box that the image stays in, from the first evaluation to the last."""

    low: float = 0.0
    high: float = 1.0

    def project(self, image: Tensor) -> Tensor:
        """The nearest image inside the box."""
        return image.clamp(self.low, self.high)

    def held(self, image: Tensor, gradient: Tensor) -> Tensor:
        """Where the image is at a bound that a descent along the negative gradient would push it through."""
        return (image <= self.low) & (gradient > 0) | (image >= self.high) & (gradient < 0)


UNIT = Bounds()
"""The box of images: every value in [0, 1]."""


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

    def init(self, image: Tensor, evaluate: Evaluate) -> State:
        """The state at ``image``, projected into the bounds, after one evaluation there."""
        start = self.bounds.project(image)
        return State(start, evaluate(start))

    @abstractmethod
    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:
        """The state after one update, which takes at least one and at most ``budget`` evaluations."""


def root_mean_square(x: Tensor) -> float:
    """The root of the mean square of all values."""
    return math.sqrt(float(torch.linalg.vector_norm(x)) ** 2 / x.numel())
