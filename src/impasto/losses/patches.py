"""Style as patches of features, each to be like some patch of the painting (Li and Wand 2016; Kolkin et al. 2022)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from impasto.losses import samples
from impasto.losses.neighborhood import Shape, blocks, members
from impasto.losses.style import StyleLoss
from impasto.statistics import accumulator
from impasto.tiling import Window

_SIDE = 3
_WEAK = 0.03
_CONVOLUTION: dict[int, Any] = {1: nnf.conv1d, 2: nnf.conv2d, 3: nnf.conv3d}


@dataclass(frozen=True, eq=False)
class PatchLoss(StyleLoss):
    r"""The cosine distance of every patch of the image's features to the nearest patch of the style's.

    .. math:: L = \frac{1}{M} \sum_k 1 - c_k, \qquad
       c_k = \max_j \frac{\langle \Phi_k, S_j \rangle}{|\Phi_k| |S_j|}, \qquad
       \frac{\partial L}{\partial \Phi_k}
       = -\frac{1}{M |\Phi_k|} \Big(\frac{S_j}{|S_j|} - c_k \frac{\Phi_k}{|\Phi_k|}\Big)

    for M positions k, where the patches :math:`\Phi_k` of the image and :math:`S_j` of the style are 3 positions along every
    axis with all filters: the Markov random field of Li and Wand, with the distance of Kolkin et al. It says what stands
    beside what, where a Gram matrix counts what stands anywhere, so it puts the painting's motifs where the photo has
    something like them. How strong features are it leaves open. Its work grows with the number of positions: best at conv3_1
    and conv4_1, as in Li and Wand.

    The nearest patch depends on the patch alone, so the sum splits over windows exactly; a window must see 2 positions
    beyond its far side. Blocks that would leave the image do not count.

    Differs from Li and Wand: they choose by the largest normalized correlation, as here, and then take the squared
    distance, which jumps where the choice changes, so that a line search comes to rest there; and of each style 1024 patches
    at random stand for all. Patches weaker than 3 % of the style's mean are divided by that, so that the slope is bounded.

    Args:
        target: the style's patches, (J, C, *sides). Of several styles there are as many as their shares say.
        core: the extents of the window whose patches are counted; None counts all.
        whole: what a window's loss is a part of, and shares the directions of the patches with.
        slab: products of patches held at once.
    """

    pointwise = False
    additive = False
    margin = _SIDE - 1
    core: Shape | None = None
    whole: "PatchLoss | None" = field(default=None, repr=False)
    slab: int = 1 << 24
    _searched: WeakTensorKeyDictionary = field(default_factory=WeakTensorKeyDictionary, init=False, repr=False)

    @classmethod
    def of(cls, features: Tensor, most: int = samples.MOST) -> Self:
        """The loss that is zero where every patch is one of ``features`` (B, C, *spatial).

        Args:
            features: of the style.
            most: J at most; drawn at random, always the same, where there are more.
        """
        sides = tuple(min(_SIDE, length) for length in features.shape[2:])
        exact = features.to(accumulator(features))
        count = features.shape[0] * math.prod(blocks(features, sides, None))
        chosen = samples.random_subset(count, most, features.device)
        parts = [view.movedim(1, -1).flatten(0, -2)[chosen] for view in members(exact, sides, None)]
        return cls(torch.stack(parts, dim=-1).view(*parts[0].shape, *sides))

    def summarize(self, features: Tensor) -> Tensor:
        nearest = self._nearest(features)
        _, correlation = self._alike(features, nearest)
        summary = (1 - correlation).sum()
        if not summary.requires_grad:
            self._searched[features] = nearest  # for their gradient, as long as they are there
        return summary

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        return summary.clamp(min=0) / positions  # rounding may leave it below

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:  # noqa: ARG002
        known = self._searched.pop(features, None)
        nearest = known if known is not None else self._nearest(features)
        length, correlation = self._alike(features, nearest)
        # A weak patch has no length to lose.
        along = torch.where(length > self.least, correlation / length, 0) / length
        pairs = self._pairs(features, nearest)
        for view, (own, style) in zip(members(out, self._sides, self.core), pairs, strict=True):
            view.add_(own * along[:, None] - style / length[:, None], alpha=weight / positions)

    def at(self, window: Window) -> Self:
        return replace(self, core=window.shape, whole=self.whole or self)

    def mixed(self, features: Tensor, share: float) -> Self:
        """This loss with ``share`` (0 to 1) of its patches given over to those of another style.

        What is left of it is taken evenly from all its patches, so the styles mixed into it before keep their proportions.
        """
        return self.joined(type(self).of(features).target, share)

    def joined(self, target: Tensor, share: float) -> Self:
        own, other = self.target, target
        if 0 < share < 1:
            sides = tuple(map(min, own.shape[2:], other.shape[2:]))
            own, other = _cropped(own, sides), _cropped(other, sides)
        return replace(self, whole=None, target=samples.mixed_samples(own, other, share))

    def size(self) -> float:
        """The loss of an image without features: 1."""
        return 1.0

    @property
    def _sides(self) -> Shape:
        return tuple(self.target.shape[2:])

    @property
    def _lengths(self) -> Tensor:
        return self.target.flatten(1).square().sum(1).sqrt()

    @cached_property
    def directions(self) -> Tensor:
        """The style's patches, of length 1."""
        if self.whole is not None:
            return self.whole.directions
        lengths = self._lengths.clamp(min=1e-12)
        return self.target / lengths.view(-1, *(1,) * len(self.target.shape[1:]))

    @cached_property
    def least(self) -> float:
        """The length that shorter patches are taken to have."""
        if self.whole is not None:
            return self.whole.least
        return max(_WEAK * self._lengths.mean().item(), 1e-12)

    def _pairs(self, features: Tensor, nearest: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """For each place in a patch, the features there and those of the nearest directions, (B, C, *blocks)."""
        tables = self.directions.flatten(2).unbind(-1)
        for own, table in zip(members(features, self._sides, self.core), tables, strict=True):
            yield own.to(table.dtype), table[nearest].movedim(-1, 1)

    def _alike(self, features: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """Every patch's length and its correlation with the nearest direction, (B, *blocks)."""
        parts = [(own.square().sum(1), (own * style).sum(1)) for own, style in self._pairs(features, nearest)]
        squares, products = (torch.stack(column).sum(0) for column in zip(*parts, strict=True))
        length = squares.clamp(min=self.least**2).sqrt()
        return length, products / length

    @torch.no_grad()
    def _nearest(self, features: Tensor) -> Tensor:
        """The nearest style patch's number for every patch, (B, *blocks)."""
        count = blocks(features, self._sides, self.core)
        if not math.prod(count):
            return torch.zeros(features.shape[0], *count, dtype=torch.int64, device=features.device)
        kernels = self.directions
        inside = _cropped(features, tuple(n + side - 1 for n, side in zip(count, self._sides, strict=True)))
        rows = max(1, self.slab // (math.prod(count[1:]) * len(kernels)))
        found = []
        for first in range(0, count[0], rows):
            slab = inside.narrow(2, first, min(rows, count[0] - first) + self._sides[0] - 1)
            found.append(_CONVOLUTION[len(count)](slab.to(kernels.dtype), kernels).argmax(1))
        return torch.cat(found, dim=1)


def _cropped(tensor: Tensor, extents: Shape) -> Tensor:
    for axis, length in enumerate(extents, start=2):
        tensor = tensor.narrow(axis, 0, length)
    return tensor
