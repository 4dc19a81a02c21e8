"""Photorealism: the quadratic form of the matting Laplacian (Levin, Lischinski and Weiss 2008; Luan et al. 2017)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from impasto.losses.base import Loss
from impasto.losses.neighborhood import Shape, members
from impasto.statistics import accumulator
from impasto.tiling import Window

_SIDES = {1: (9,), 2: (3, 3), 3: (3, 3, 3)}  # a block needs more positions than there are colors, and one
_CHUNK = 1 << 18  # matrices inverted at once, in float64


@dataclass(frozen=True, eq=False)
class PhotorealismLoss(Loss):
    r"""How far the image x is, within every small block, from an affine map of the photo's colors.

    .. math:: L = \frac{1}{M} \sum_c x_c^T \mathcal{L} x_c
       = \frac{1}{M} \sum_{w, c} \min_{a, b} \Big(\sum_{i \in w} (x_{c i} - a^T p_i - b)^2 + \epsilon |a|^2\Big), \qquad
       \frac{\partial L}{\partial x_{c i}} = \frac{2}{M} \sum_{w \ni i} x_{c i} - a_{w c}^T p_i - b_{w c}

    for M positions, blocks w of 3 positions along every axis (9 in one dimension), channels c and the photo p, with the
    minimizing :math:`a_{w c}, b_{w c}` of each block: the matting Laplacian :math:`\mathcal{L}` of Levin et al., which
    Luan et al. take as a regularization. Colors may change, and change from place to place, as long as within every block
    they follow the photo's: what the photo shows as smooth stays smooth, and its edges stay where they are. Zero at the
    photo and at any affine map of its colors, but for epsilon. Meant for the layer ``image``, whose values are RGB in
    [0, 1].

    Differs from the papers: epsilon is 1e-5 instead of 1e-7, a gray level's square instead of less than float32 tells of
    a flat block, and the mean is taken instead of the sum.

    Args:
        target: p, (B, C, *spatial), or the part that a window sees.
        core: the extents of the window whose blocks are counted; None counts all.
    """

    epsilon = 1e-5
    target: Tensor
    core: Shape | None = None

    def summarize(self, features: Tensor) -> Tensor:
        own, residuals = self._residuals(features)
        return (own * residuals).sum()

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / positions

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        _, residuals = self._residuals(features)
        for view, part in zip(members(out, self._sides, self.core), residuals.unbind(0), strict=True):
            view.add_(part, alpha=2 * weight / positions)

    def at(self, window: Window) -> Self:
        return type(self)(self.target[window.reaching(self.margin, tuple(self.target.shape[2:])).index], window.shape)

    @cached_property
    def margin(self) -> int:  # type: ignore[override]  # written once, like what it overrides
        """As many positions as a block has beyond its first."""
        return self._sides[0] - 1

    @property
    def _sides(self) -> Shape:
        return _SIDES[self.target.dim() - 2]

    def _residuals(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Of every place in every block, (places, B, C, *blocks): x less its mean, and what p does not explain of that."""
        own, colors = self._centered(features), self._centered(self.target)
        products = (own[:, :, :, None] * colors[:, :, None]).sum(0)
        slope = (products[:, :, :, None] * self._inverse[:, None]).sum(2)
        return own, own - (slope * colors[:, :, None]).sum(3)

    def _centered(self, tensor: Tensor) -> Tensor:
        """What stands in every place of every block, less the block's mean."""
        parts = torch.stack(list(members(tensor.to(accumulator(tensor)), self._sides, self.core)))
        return parts - parts.mean(0)

    @cached_property
    def _inverse(self) -> Tensor:
        """Per block, of epsilon I + sum (p - mean) (p - mean)^T, (B, C, C, *blocks), found in float64 where there is one."""
        colors = self._centered(self.target)
        exact = torch.float32 if colors.device.type == "mps" else torch.float64
        products = (colors[:, :, :, None] * colors[:, :, None]).sum(0)
        rows = products.flatten(3).permute(0, 3, 1, 2).flatten(0, 1)
        ridge = self.epsilon * torch.eye(rows.shape[-1], dtype=exact, device=rows.device)
        parts = [torch.linalg.inv(part.to(exact) + ridge).to(rows.dtype) for part in torch.split(rows, _CHUNK)]
        inverted = torch.cat(parts).view(products.shape[0], -1, *products.shape[1:3])
        return inverted.permute(0, 2, 3, 1).reshape(products.shape)
