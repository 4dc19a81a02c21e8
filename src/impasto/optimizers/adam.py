"""Adam inside a box."""

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.optimizers.base import UNIT, Bounds, Evaluate, Optimizer, State


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

    def step(self, state: State, evaluate: Evaluate, budget: int) -> State:  # noqa: ARG002 - always one evaluation
        """One update and one evaluation."""
        gradient = state.gradient.nan_to_num(0.0, 0.0, 0.0)  # one bad gradient would stay in the moments forever
        count = int(state.memory.get("count", 0)) + 1  # type: ignore[call-overload]
        mean = _moment(state, "mean", gradient, self.betas[0])
        square = _moment(state, "square", gradient * gradient, self.betas[1])
        floor = float(state.memory.get("floor", 0.0)) or self.epsilon * float(gradient.abs().mean())  # type: ignore[arg-type]
        root = (square / (1 - self.betas[1] ** count)).sqrt_().add_(floor)
        update = (mean / (1 - self.betas[0] ** count)).div_(root).nan_to_num_(0.0)
        image = self.bounds.project(torch.sub(state.image, update, alpha=self.rate))
        memory: dict[str, object] = {"mean": mean, "square": square, "count": count, "floor": floor}
        return State(image, evaluate(image), memory, state.evaluations + 1)


def _moment(state: State, name: str, sample: Tensor, decay: float) -> Tensor:
    before = state.memory.get(name)
    if not isinstance(before, Tensor):
        return sample * (1 - decay)
    return before * decay + sample * (1 - decay)
