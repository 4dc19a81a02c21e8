"""The loop: from coarse to fine, one optimizer step after another. It yields where it is and knows no files."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from impasto.engines import Evaluation, Evaluator
from impasto.errors import SettingsError
from impasto.optimizers import Bounds, Optimizer, State
from impasto.optimizers.vectors import distance
from impasto.optimizers.vectors import length as norm
from impasto.pyramid import resize

WINDOW = 20
"""Evaluations over which the way of the image is summed up to see whether it has settled."""


@dataclass(frozen=True)
class Level:
    """One size of the pyramid, and how many evaluations to spend there.

    Args:
        shape: its spatial shape.
        evaluations: how many.
        positions: what the time of an evaluation is proportional to; those of the shape unless given.
    """

    shape: tuple[int, ...]
    evaluations: int
    positions: int | None = None

    @property
    def cost(self) -> int:
        """Positions times evaluations: what the time of the level is proportional to."""
        return self.evaluations * (math.prod(self.shape) if self.positions is None else self.positions)


@dataclass(frozen=True)
class Record:
    """One line of the history: the losses after an optimizer step, and how far it moved the image (root mean square)."""

    level: int
    evaluation: int
    value: float
    losses: dict[str, float]
    moved: float


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A whole descent at one moment. Everything that follows depends on this, so saving it is a checkpoint.

    Args:
        level: the index of the current level.
        state: the optimizer's state there.
        best: the image of the lowest value seen on this level.
        value: that value.
        history: one record per optimizer step, from the start.
        seconds: the time the descent has taken so far, over all its sessions.
        done: whether this level has had its evaluations.
    """

    level: int
    state: State
    best: Tensor
    value: float
    history: tuple[Record, ...] = ()
    seconds: float = 0.0
    done: bool = False

    @property
    def losses(self) -> dict[str, float]:
        """The latest losses by term name."""
        return self.history[-1].losses


@dataclass(frozen=True, eq=False)
class Descent:
    """A descent through the levels of a pyramid.

    Args:
        levels: coarse to fine.
        engine_at: makes the engine for a level's shape; targets belong to a size.
        optimizer: the method.
        lift: brings a level's image to the next level's shape.
        bounds_at: makes the bounds of a level's images; those of the optimizer unless given.
        settle: a level ends early once its last 20 evaluations together moved the image by less than this, in units of
            the image; 0 never.
        clock: reads seconds.
    """

    levels: Sequence[Level]
    engine_at: Callable[[tuple[int, ...]], Evaluator]
    optimizer: Optimizer
    lift: Callable[[Tensor, tuple[int, ...]], Tensor] = resize
    bounds_at: Callable[[tuple[int, ...]], Bounds] | None = None
    settle: float = 0.0
    clock: Callable[[], float] = field(default=time.perf_counter)

    def run(self, start: Tensor | Snapshot) -> Iterator[Snapshot]:
        """Style transfer: every state on the way, from an image or from a snapshot; the last one yielded is the result.

        At each size the engine's objective compares the features of the image with the photo's and their statistics with
        the paintings' (:meth:`impasto.aims.targets.Targets.bare_engine_at` makes it), and the optimizer lowers it. An image
        is resampled to the coarsest level. From a snapshot the descent goes on exactly as it would have.

        Raises:
            SettingsError: if the losses or their gradient are more than floating-point numbers hold.
        """
        began = self.clock() - (start.seconds if isinstance(start, Snapshot) else 0.0)
        now = start if isinstance(start, Snapshot) else None
        for index in range(now.level if now else 0, len(self.levels)):
            if now and now.level == index and now.done:
                continue  # saved at the end of a level
            level = self.levels[index]
            engine = self.engine_at(level.shape)
            optimizer = self.optimizer if self.bounds_at is None else self.optimizer.within(self.bounds_at(level.shape))
            if now is None or now.level != index:
                image = now.best if now else start
                assert isinstance(image, Tensor)
                state = optimizer.init(self.lift(image, level.shape), engine.evaluate)
                _refuse_overflow(state)
                first = Snapshot(index, state, state.image, float("inf"), now.history if now else ())
                now = replace(self._follow(first, state), seconds=self.clock() - began)
                yield now
            while not now.done:
                state = optimizer.step(now.state, engine.evaluate, level.evaluations - now.state.evaluations)
                now = replace(self._follow(now, state), seconds=self.clock() - began)
                yield now

    def _follow(self, before: Snapshot, state: State) -> Snapshot:
        point = state.point
        assert isinstance(point, Evaluation)
        moved = distance(state.image, before.state.image) / math.sqrt(state.image.numel())
        record = Record(before.level, state.evaluations, point.value, point.losses, moved)
        history = (*before.history, record)
        better = point.value <= before.value
        return replace(
            before,
            state=state,
            best=state.image if better else before.best,
            value=point.value if better else before.value,
            history=history,
            done=(
                state.stalled or state.evaluations >= self.levels[before.level].evaluations or self._settled(history)
            ),
        )

    def _settled(self, history: Sequence[Record]) -> bool:
        """Whether what moved the image in the last evaluations of this level comes to less than ``settle``."""
        last, way = history[-1], 0.0
        for record in reversed(history):
            if record.level != last.level or way >= self.settle:
                return False
            if record.evaluation <= last.evaluation - WINDOW:
                return True
            way += record.moved
        return False


def _refuse_overflow(state: State) -> None:
    """Before a descent that could not take a step."""
    value, slope = state.point.value, norm(state.gradient)
    if not (math.isfinite(value) and math.isfinite(slope)):
        raise SettingsError(
            f"Where the descent begins the losses add up to {value:.3g}, with a gradient of {slope:.3g}, more than can be "
            "computed with; give smaller weights, of which only the ratios mean something."
        )
