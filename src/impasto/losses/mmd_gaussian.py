"""Style as maximum mean discrepancy with a Gaussian kernel, estimated by random Fourier features."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import accumulator, add_by_rows, position_count, square_sum, sum_by_rows, value_sum


@dataclass(frozen=True, eq=False)
class GaussianMMDLoss(StyleLoss):
    r"""The discrepancy under :math:`k(x, y) = \exp(-|x - y|^2 / 2 s^2)`, by random Fourier features.

    The kernel itself couples every pair of positions and does not add over them. Rahimi and Recht (2007) write it as the
    mean of :math:`\cos(w^T (x - y))` over frequencies w drawn from the normal distribution with variance :math:`1 / s^2`;
    with K of them, drawn once,

    .. math:: L = \frac{1}{K} \sum_w a_w^2 + b_w^2, \qquad
       \frac{\partial L}{\partial F_k} = \frac{2}{K M} \sum_w (b_w \cos w^T F_k - a_w \sin w^T F_k) \, w

    where :math:`a_w` and :math:`b_w` are the mean over the image's M positions of :math:`\cos w^T F_k` and
    :math:`\sin w^T F_k`, less the style's. L estimates MMD^2 (Gretton et al. 2012; a style loss in Li et al. 2017)
    without bias and with a standard error that falls as :math:`K^{-1/2}`.

    The bandwidth s is fixed by the style: :math:`s^2` is the mean squared distance between two of its positions. Where
    several styles are mixed, it is the first one's.

    Twice per evaluation every filter takes two sines and two cosines at every position, so that on a processor the loss
    costs three to eight times what Gram matrices do in float32, and a multiple of that in half precision.

    Args:
        target: the style's mean cosines, then its mean sines, (B, 2 K).
        frequencies: w, (C, K).
    """

    frequencies: Tensor

    @classmethod
    def of(cls, features: Tensor, count: int | None = None, seed: int = 0) -> Self:
        """The loss whose minimum, zero, is at ``features`` (B, C, *spatial).

        Args:
            features: of the style.
            count: K; two per channel unless given.
            seed: of the frequencies. They are part of what the loss is: values compare only under one seed.
        """
        generator = torch.Generator().manual_seed(seed)
        count = count or 2 * features.shape[1]
        normal = torch.randn(features.shape[1], count, generator=generator, dtype=torch.float64)
        frequencies = (normal / _bandwidth(features)).to(accumulator(features)).to(features.device)
        blank = cls(frequencies.new_zeros(features.shape[0], 2 * count), frequencies)
        return blank.mixed(features, 1.0)

    def summarize(self, features: Tensor) -> Tensor:
        return sum_by_rows(features, lambda rows: torch.cat([wave.sum(0) for wave in self._waves(rows)]))

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return (summary / positions - self.target).square().sum() / self.frequencies.shape[1]

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        cosines, sines = (summary / positions - self.target).chunk(2, dim=-1)
        back = self.frequencies.t() * (2 * weight / (self.frequencies.shape[1] * positions))

        def of_rows(rows: Tensor, item: int) -> Tensor:
            cosine, sine = self._waves(rows)
            return cosine.mul_(sines[item]).sub_(sine.mul_(cosines[item])) @ back

        add_by_rows(out, features, of_rows)

    def size(self) -> float:
        """The loss of an image without features, whose cosines are all 1."""
        nothing = torch.zeros_like(self.target)
        nothing[:, : self.frequencies.shape[1]] = 1
        return self.compare(nothing, 1).item()

    def _waves(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        phases = rows.to(self.frequencies.dtype) @ self.frequencies
        return phases.cos(), phases.sin()


def _bandwidth(features: Tensor) -> float:
    """The root mean squared distance between positions, sqrt(2 (E|x|^2 - |E x|^2)).

    Where all positions are alike it says nothing, and a small part of their size serves, or 1 for features of zero.
    """
    positions = position_count(features)
    square = (square_sum(features) / positions).sum(-1).mean().item()
    spread = square - (value_sum(features) / positions).square().sum(-1).mean().item()
    return max(2 * spread, 1e-3 * square) ** 0.5 or 1.0
