"""How long a descent still takes, from what its evaluations took in this process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from impasto.descent import Level

_FIXED = 4096  # positions that an evaluation takes as long as, whatever its size; until two levels tell
_SET_UP = 1.5  # evaluations that setting a level up takes, beside the first one


@dataclass
class Pace:
    r"""Seconds to go, for a descent that is followed step by step.

    An evaluation over P positions takes :math:`a + b P` seconds. On the level that runs it takes what its evaluations took, the
    first of them left out, with all that was set up for it; further levels are told by a / b, which is found from two levels
    once there are two.

    Args:
        levels: those of the descent.
    """

    levels: Sequence[Level]
    _begun: tuple[int, float] = (0, 0.0)
    _level: int = -1
    _seen: dict[int, float] = field(default_factory=dict)

    def remaining(self, level: int, evaluations: int, seconds: float, *, done: bool = False) -> float:
        """The estimate at a step.

        Args:
            level: the number of the level.
            evaluations: that were made there.
            seconds: since the descent began; steps are told in their order.
            done: whether the level is over, however many of its evaluations were made.
        """
        if level != self._level:
            self._level, self._begun = level, (evaluations, seconds)
        here = self.levels[level]
        made = evaluations - self._begun[0]
        if made > 0:
            self._seen[level] = (seconds - self._begun[1]) / made
        elif not self._seen:  # the first step, which is all that is known, with what was set up for it
            self._seen[level] = seconds / max(1, evaluations) / (1 + _SET_UP)
        own = self._seconds(level) * (0 if done else max(0, here.evaluations - evaluations))
        after = range(level + 1, len(self.levels))
        return own + sum(self._seconds(other) * (self.levels[other].evaluations + _SET_UP) for other in after)

    def _seconds(self, level: int) -> float:
        """Of an evaluation on a level."""
        if level in self._seen:
            return self._seen[level]
        known = max(self._seen)
        fixed = self._fixed()
        return self._seen[known] * (fixed + self._positions(level)) / (fixed + self._positions(known))

    def _fixed(self) -> float:
        """The quotient of a and b, in positions."""
        if len(self._seen) < 2:
            return _FIXED
        (small, first), (large, second) = sorted((self._positions(level), time) for level, time in self._seen.items())[
            -2:
        ]
        slope = (second - first) / max(1, large - small)
        return min(max(0.0, first / slope - small), 1e6) if slope > 0 else 1e6

    def _positions(self, level: int) -> int:
        of = self.levels[level]
        return math.prod(of.shape) if of.positions is None else of.positions
