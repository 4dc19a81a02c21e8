"""How the work on large pictures goes on, tile after tile."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from impasto.descent import Level
from impasto.memory.budget import Layout


@dataclass(frozen=True)
class TileProgress:
    """How far an evaluation is.

    Args:
        level: index of the level.
        levels: all levels.
        share: of the evaluation's work that is done, 0 to 1.
        seconds: that it takes in all, at its speed so far.
        remaining: estimated seconds until the last evaluation of the run is done.
    """

    level: int
    levels: Sequence[Level]
    share: float
    seconds: float
    remaining: float


OnTile = Callable[[TileProgress], object]
"""Told after every pass over a tile."""


class TileMeter:
    """Adds up the shares of work that engines report.

    Args:
        on_tile: told the sum.
        levels: coarse to fine.
        layouts: by a level's shape, how it is computed.
        clock: reads seconds.
    """

    def __init__(
        self,
        on_tile: OnTile,
        levels: Sequence[Level],
        layouts: Mapping[tuple[int, ...], Layout],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_tile = on_tile
        self.levels = levels
        self.clock = clock
        self._costs = [level.cost * layouts[level.shape].cost / level.evaluations for level in levels]

    def at(self, shape: tuple[int, ...]) -> Callable[[float], None] | None:
        """What an engine of a shape is to tell; None if that is not one of the levels."""
        for index, level in enumerate(self.levels):
            if level.shape == shape:
                return self._counter(index)
        return None

    def _counter(self, index: int) -> Callable[[float], None]:
        level, cost = self.levels[index], self._costs[index]
        later = sum(other.evaluations * one for other, one in zip(self.levels, self._costs, strict=True))
        later -= sum(other.evaluations * one for other, one in zip(self.levels[: index + 1], self._costs, strict=False))
        done, made, began = 0.0, 0, self.clock()

        def count(share: float) -> None:
            nonlocal done, made, began
            now = self.clock()
            done += share
            seconds = (now - began) / done
            left = max(0.0, level.evaluations - made - done) + later / cost
            self.on_tile(TileProgress(index, self.levels, min(done, 1.0), seconds, left * seconds))
            if done > 1 - 1e-9:
                done, made, began = 0.0, made + 1, now

        return count
