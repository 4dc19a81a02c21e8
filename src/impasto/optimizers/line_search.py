"""Backtracking along the projected path (Bertsekas 1976; sufficient decrease after Armijo 1966)."""

import math

import torch
from torch import Tensor

from impasto.optimizers.base import MEMORY, Bounds, Evaluate, Point, State, Storage
from impasto.optimizers.vectors import slope_of

_SUFFICIENT = 1e-4
_SHORTEST, _LONGEST = 0.1, 0.5


def search(
    state: State,
    direction: Tensor,
    scale: float,
    evaluate: Evaluate,
    *,
    bounds: Bounds,
    budget: int,
    storage: Storage = MEMORY,
) -> tuple[tuple[Tensor, Point, float] | None, int]:
    r"""A point on the path P(x + t d) that lowers the value enough, starting from t = ``scale``.

    Accepts the first t with :math:`f(P(x + t d)) \le f(x) + 10^{-4}\, g^T (P(x + t d) - x)`; after a rejection t
    becomes the minimizer of the parabola through what is known, kept within a tenth to a half of the last t. A value
    that is not finite is a rejection like any other, so the search cannot diverge.

    Returns:
        The image, its evaluation and t, or None without success within ``budget`` evaluations or when the path does
        not descend or no longer moves the image; and the number of evaluations made.
    """
    value, scale_now = state.point.value, scale
    for evaluations in range(1, budget + 1):
        image = torch.add(state.image, direction, alpha=scale_now, out=storage.empty_like(state.image))
        image = bounds.project_(image)
        slope = slope_of(image, state.image, state.gradient)
        if not slope < 0:
            return None, evaluations - 1
        storage.release()  # what was read on the way, before the evaluation needs room
        point = evaluate(image)
        if not math.isfinite(point.value):
            scale_now *= _SHORTEST
            del image, point  # before the next are made
            continue
        if point.value <= value + _SUFFICIENT * slope:
            return (image, point, scale_now), evaluations
        bend = point.value - value - slope
        best = -slope / (2 * bend) if bend > 0 else _LONGEST
        scale_now *= min(max(best, _SHORTEST), _LONGEST)
        del image, point
    return None, budget
