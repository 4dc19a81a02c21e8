"""A loss whose gradient is brought to about one size, as in neural-style's ``-normalize_gradients`` (Johnson 2015)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.losses.base import Loss


@dataclass(eq=False)
class NormalizedGradient(Loss):
    r"""Another loss L, with :math:`g / (|u g|_1^p + 10^{-8})` for its gradient g.

    No function has such gradients, so it is not among the losses to choose from. At every image, though, they are those
    of L times a factor, which is known only once all of the gradient is.

    Args:
        loss: L.
        unit: u, so that the norm is taken in other units than this package's.
        exponent: p.
        factor: what the last gradient was multiplied by.
    """

    splits = False
    loss: Loss
    unit: float
    exponent: float
    factor: float = 1.0

    def summarize(self, features: Tensor) -> Tensor:
        return self.loss.summarize(features)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return self.loss.compare(summary, positions)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        own = torch.zeros_like(out)
        self.loss.add_gradient(own, features, summary, positions, self.unit)
        norm = float(own.abs().sum(dtype=torch.float32))
        self.factor = 1 / (norm**self.exponent + 1e-8)
        out.add_(own, alpha=weight / self.unit * self.factor)
