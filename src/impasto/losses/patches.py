"""Style as patches of features, each to become the most similar patch of the painting (Li and Wand 2016)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.losses.neighborhood import Shape, blocks, members
from impasto.losses.style import StyleLoss
from impasto.statistics import accumulator
from impasto.tiling import Window

_SIDE = 3
_MOST = 1024  # patches of a style: the search costs what a convolution with so many filters does
_SLAB = 1 << 24  # products of patches held at once
_CONVOLUTION: dict[int, Any] = {1: nnf.conv1d, 2: nnf.conv2d, 3: nnf.conv3d}


@dataclass(frozen=True, eq=False)
class PatchLoss(StyleLoss):
    r"""The squared distance of every patch of the image's features to the most similar patch of the style's.

    .. math:: L = \frac{1}{2 N P M} \sum_k \sum_o |F_{k + o} - S_{j(k) + o}|^2, \qquad
       \frac{\partial L}{\partial F_k} = \frac{1}{N P M} \sum_o F_k - S_{j(k - o) + o}, \qquad
       j(k) = \arg\max_j \frac{\sum_o F_{k + o}^T S_{j + o}}{\sqrt{\sum_o |S_{j + o}|^2}}

    for N filters, M positions k and the P places o of a patch, 3 along every axis: the Markov random field loss E_s of Li
    and Wand, whose j(k) has the largest normalized correlation. It says what stands beside what, where a Gram matrix
    counts what stands anywhere, so it puts the painting's motifs where the photo has something like them. Its work grows
    with the number of positions: best at conv3_1 and conv4_1, as in the paper.

    The most similar patch depends on the patch alone, so the sum splits over windows exactly; a window must see 2
    positions beyond its far side. Where the most similar patch changes the loss jumps: the nearest patch would make it
    continuous, but a faint patch is near everything, and pictures fade.

    Differs from the paper: of each style 1024 patches at random stand for all, and the mean is taken instead of the sum.

    Args:
        target: the style's patches, (J, C, *sides). Of several styles there are as many as their shares say.
    """

    pointwise = False
    margin = _SIDE - 1
    core: Shape | None = None
    _latest: "list[tuple[Tensor, Tensor]]" = field(default_factory=list, init=False, repr=False)

    @classmethod
    def of(cls, features: Tensor, most: int = _MOST) -> Self:
        """The loss that is zero where every patch is one of ``features`` (B, C, *spatial).

        Args:
            features: of the style.
            most: J at most; drawn at random, always the same, where there are more.
        """
        sides = tuple(min(_SIDE, length) for length in features.shape[2:])
        exact = features.to(accumulator(features))
        count = features.shape[0] * math.prod(blocks(features, sides, None))
        chosen = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:most].to(features.device)
        parts = [view.movedim(1, -1).flatten(0, -2)[chosen] for view in members(exact, sides, None)]
        return cls(torch.stack(parts, dim=-1).view(*parts[0].shape, *sides))

    def summarize(self, features: Tensor) -> Tensor:
        nearest = self._nearest(features)
        parts = [(own - style).square_().sum() for own, style in self._pairs(features, nearest)]
        summary = torch.stack(parts).sum() / 2
        if not summary.requires_grad:
            self._latest[:] = [(summary, nearest)]
        return summary

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary / (self.target[0].numel() * positions)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        known = next((nearest for total, nearest in self._latest if total is summary), None)  # of a whole image
        nearest = self._nearest(features) if known is None else known
        scale = weight / (self.target[0].numel() * positions)
        pairs = self._pairs(features, nearest)
        for view, (own, style) in zip(members(out, self._sides, self.core), pairs, strict=True):
            view.add_(own - style, alpha=scale)

    def at(self, window: Window) -> Self:
        return replace(self, core=window.shape)

    def mixed(self, features: Tensor, share: float) -> Self:
        """This loss with ``share`` (0 to 1) of its patches given over to those of another style."""
        other = type(self).of(features).target
        if share in (0, 1):
            return replace(self, target=other if share else self.target)
        sides = tuple(map(min, self.target.shape[2:], other.shape[2:]))
        total = min(_MOST, len(self.target) / (1 - share), len(other) / share)
        old, new = (_cropped(self.target, sides), _cropped(other, sides))
        return replace(
            self, target=torch.cat([old[: max(1, round(total * (1 - share)))], new[: max(1, round(total * share))]])
        )

    def size(self) -> float:
        """Half the mean square of the style's features: about the loss of an image without any."""
        return self.target.square().mean().item() / 2

    @property
    def _sides(self) -> Shape:
        return tuple(self.target.shape[2:])

    def _pairs(self, features: Tensor, nearest: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """For each place in a patch, the features there and those of the nearest patches, (B, C, *blocks)."""
        tables = self.target.flatten(2).unbind(-1)
        for own, table in zip(members(features, self._sides, self.core), tables, strict=True):
            yield own.to(table.dtype), table[nearest].movedim(-1, 1)

    @torch.no_grad()
    def _nearest(self, features: Tensor) -> Tensor:
        """The most similar style patch's number for every patch, (B, *blocks)."""
        count = blocks(features, self._sides, self.core)
        if not math.prod(count):
            return torch.zeros(features.shape[0], *count, dtype=torch.int64, device=features.device)
        lengths = self.target.flatten(1).norm(dim=1).clamp(min=1e-12)
        kernels = self.target / lengths.view(-1, *(1,) * len(self.target.shape[1:]))
        inside = _cropped(features, tuple(n + side - 1 for n, side in zip(count, self._sides, strict=True)))
        rows = max(1, _SLAB // (math.prod(count[1:]) * len(kernels)))
        found = []
        for first in range(0, count[0], rows):
            slab = inside.narrow(2, first, min(rows, count[0] - first) + self._sides[0] - 1)
            found.append(_CONVOLUTION[len(count)](slab.to(kernels.dtype), kernels).argmax(1))
        return torch.cat(found, dim=1)


def _cropped(tensor: Tensor, extents: Shape) -> Tensor:
    for axis, length in enumerate(extents, start=2):
        tensor = tensor.narrow(axis, 0, length)
    return tensor
