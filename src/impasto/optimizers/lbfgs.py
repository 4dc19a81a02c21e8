"""Limited-memory BFGS inside a box: two-loop recursion on the free variables, projected backtracking search."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from impasto.optimizers.base import MEMORY, UNIT, Bounds, Evaluate, Optimizer, State, Storage, root_mean_square
from impasto.optimizers.line_search import search
from impasto.optimizers.spectrum import Spectrum
from impasto.optimizers.vectors import dot, length, subtract

_SEARCH = 12  # evaluations of one line search before its direction is given up
_CURVATURE = 1e-8  # cosine between step and gradient change below which a pair tells nothing

Pair = tuple[Tensor, Tensor]
"""A step s and the change y of the gradient over it."""
Curvature = tuple[float, float]
"""s^T y and y^T P y of a pair. They stay what they are, so they are found once: for large images that is reading files."""


@dataclass(frozen=True)
class LBFGS(Optimizer):
    r"""Projected L-BFGS (Nocedal 1980; Bertsekas 1982 for the projection), preconditioned in frequency.

    The direction is :math:`d = -H g` over the variables that are free to move, where H is the inverse Hessian built
    from the last ``history`` pairs of steps s and gradient changes y, started from :math:`\gamma P` with
    :math:`\gamma = s^T y / y^T P y`. P multiplies every spatial frequency f by :math:`|f|^{-2 \cdot 0.4}`, since the
    colors of pictures vary slowly over space: about a third fewer evaluations reach the same loss on the objective of the
    paper author's notebook; with the normalized network it makes no difference.

    Variables held at a bound are left out of the gradient and of the direction, so the step still descends after it is
    projected. A pair is remembered only where the curvature s^T y is positive enough.

    Differs from ``torch.optim.LBFGS``: the image never leaves its bounds; the first step has a size chosen in units of
    the image instead of 1 / |g|_1, which stalls on mean-normalized losses; and every step lowers the value.

    Args:
        bounds: the box.
        history: how many pairs are remembered.
        spectrum: the exponent of P, 0 for the identity.
        storage: where images and what is remembered of them live.
        compact: images of at least so many values are remembered in bfloat16, half the memory of float32.
        first_step: root mean square of the first change, in units of the image; 0.02 are about five levels of 255.
    """

    bounds: Bounds = UNIT
    history: int = 12
    spectrum: float = 0.4
    storage: Storage = MEMORY
    compact: float = math.inf
    first_step: float = 0.02

    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:
        """One update; drops the history, then the preconditioner, before it calls the descent stalled."""
        remembered = cast("list[Pair]", state.memory.get("pairs", []))
        known = cast("list[Curvature]", state.memory.get("curvatures") or list(map(self._curvature, remembered)))
        spent = 0
        for pairs, exponent in self._attempts(remembered):
            curvatures = known if pairs else []
            direction = self._direction(state, pairs, curvatures, Spectrum(exponent))
            size = root_mean_square(direction)
            scale = 1.0 if pairs or size == 0 else self.first_step / size
            found, used = search(
                state,
                direction,
                scale,
                evaluate,
                bounds=self.bounds,
                budget=min(_SEARCH, budget - spent),
                storage=self.storage,
            )
            spent += used
            if found:
                image, point, _ = found
                after = State(image, point, {}, state.evaluations + spent)
                after.memory["pairs"], after.memory["curvatures"] = self._remembered(pairs, curvatures, state, after)
                return after
            if spent >= budget:
                return replace(state, evaluations=state.evaluations + spent)
        return replace(state, evaluations=state.evaluations + spent, stalled=True)

    def _attempts(self, pairs: list[Pair]) -> Iterator[tuple[list[Pair], float]]:
        """Pairs and exponents in the order they are tried; only the last is sure to descend once it is projected."""
        if pairs:
            yield pairs, self.spectrum
        if self.spectrum:
            yield [], self.spectrum
        yield [], 0.0

    def _direction(self, state: State, pairs: list[Pair], curvatures: list[Curvature], spectrum: Spectrum) -> Tensor:
        """-H g on the free variables, by the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4)."""
        direction = torch.neg(state.gradient, out=self.storage.empty_like(state.gradient))
        self.bounds.free_(direction, state.image, state.gradient)
        products = []
        for (step, change), (curvature, _) in zip(reversed(pairs), reversed(curvatures), strict=True):
            alpha = dot(step, direction) / curvature
            direction.add_(change, alpha=-alpha)
            products.append(alpha)
            self.storage.release()
        spectrum.scale_(self.bounds.free_(direction, state.image, state.gradient))
        if curvatures:
            curvature, square = curvatures[-1]
            direction.mul_(curvature / square)
        for (step, change), (curvature, _), alpha in zip(pairs, curvatures, reversed(products), strict=True):
            beta = dot(change, direction) / curvature
            direction.add_(step, alpha=alpha - beta)
            self.storage.release()
        return self.bounds.free_(direction, state.image, state.gradient)

    def _curvature(self, pair: Pair) -> Curvature:
        step, change = pair
        return dot(step, change), Spectrum(self.spectrum).square(change)

    def _remembered(
        self, pairs: list[Pair], curvatures: list[Curvature], before: State, after: State
    ) -> tuple[list[Pair], list[Curvature]]:
        kind = torch.bfloat16 if after.image.numel() >= self.compact else after.image.dtype
        step, change = (self.storage.empty_like(after.image, kind) for _ in range(2))
        subtract(step, after.image, before.image)
        subtract(change, after.gradient, before.gradient)
        curvature = self._curvature((step, change))
        if curvature[0] <= _CURVATURE * length(step) * length(change):
            return pairs, curvatures
        return [*pairs, (step, change)][-self.history :], [*curvatures, curvature][-self.history :]
