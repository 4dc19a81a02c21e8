"""Adam inside a box."""

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.optimizers.base import MEMORY, UNIT, Bounds, Evaluate, Optimizer, State, Storage
from impasto.optimizers.vectors import pieces


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""Adam (Kingma and Ba 2015, algorithm 1), each update projected into the bounds.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
       x \leftarrow P\Big(x - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}\Big)

    Its steps can raise the value; the descent keeps the best image it saw.

    Args:
        bounds: the box.
        rate: eta, the largest change of a value per step, in units of the image ([0, 1]).
        betas: the decay rates of the two moments.
        epsilon: relative to the mean absolute value of the first gradient, so that a scaled objective gives the same run.
    """

    bounds: Bounds = UNIT
    rate: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8
    storage: Storage = MEMORY

    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:  # noqa: ARG002 - always one evaluation
        """One update and one evaluation."""
        count = int(state.memory.get("count", 0)) + 1  # type: ignore[call-overload]
        floor = float(state.memory.get("floor", 0.0)) or self.epsilon * _mean_size(state.gradient)  # type: ignore[arg-type]
        mean, square = (self._moment(state, name) for name in ("mean", "square"))
        image = self.storage.empty_like(state.image)
        for new, x, g, m, v in pieces(image, state.image, state.gradient, mean, square):
            sample = _finite(g)
            m.mul_(self.betas[0]).add_(sample * (1 - self.betas[0]))
            v.mul_(self.betas[1]).add_(sample * sample * (1 - self.betas[1]))
            root = (v / (1 - self.betas[1] ** count)).sqrt_().add_(floor)
            update = (m / (1 - self.betas[0] ** count)).div_(root).nan_to_num_(0.0)
            torch.sub(x, update, alpha=self.rate, out=new)
        image = self.bounds.project_(image)
        memory: dict[str, object] = {"mean": mean, "square": square, "count": count, "floor": floor}
        return State(image, evaluate(image), memory, state.evaluations + 1)

    def _moment(self, state: State, name: str) -> Tensor:
        """A copy of what is remembered, for a state is a value; zeros at first."""
        before = state.memory.get(name)
        if not isinstance(before, Tensor):
            return self.storage.zeros_like(state.image)
        return self.storage.empty_like(before).copy_(before)


def _finite(gradient: Tensor) -> Tensor:
    """One bad value of a gradient would stay in the moments forever."""
    return gradient.nan_to_num(0.0, 0.0, 0.0)


def _mean_size(gradient: Tensor) -> float:
    return sum(float(_finite(g).abs().sum()) for (g,) in pieces(gradient)) / gradient.numel()
