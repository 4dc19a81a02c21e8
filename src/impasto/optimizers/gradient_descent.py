"""Gradient descent inside a box, the method the papers explain before they use L-BFGS."""

from dataclasses import dataclass, replace

import torch

from impasto.optimizers.base import MEMORY, UNIT, Bounds, Evaluate, Optimizer, State, Storage, root_mean_square
from impasto.optimizers.line_search import search

_FIRST_STEP = 0.02
_SEARCH = 12


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    r"""Projected gradient descent, :math:`x \leftarrow P(x - t g)`, with a backtracking search for t.

    The first t tried is twice the last one accepted, so that the step can grow again.
    """

    bounds: Bounds = UNIT
    storage: Storage = MEMORY

    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:
        """One update along the negative gradient."""
        direction = torch.neg(state.gradient, out=self.storage.empty_like(state.gradient))
        size = root_mean_square(self.bounds.free_(direction, state.image, state.gradient))
        if size == 0:
            return replace(state, stalled=True)
        last = state.memory.get("scale")
        scale = 2 * last if isinstance(last, float) else _FIRST_STEP / size
        tries = min(_SEARCH, budget)
        found, used = search(state, direction, scale, evaluate, bounds=self.bounds, budget=tries, storage=self.storage)
        if found is None:
            return replace(state, evaluations=state.evaluations + used, stalled=used == _SEARCH or used < tries)
        image, point, scale = found
        return State(image, point, {"scale": scale}, state.evaluations + used)
