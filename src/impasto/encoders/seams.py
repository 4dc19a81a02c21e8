"""Boxes that wrap: where, inside a box, the image ends and begins again."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Seams:
    """The places in a box where one copy of a periodic image ends and the next begins.

    Convolutions look across them. A pooling block never lies across one: as at the end of the image, a last odd position
    before a seam is dropped. So features in the box are those of the image, whatever its size.

    Args:
        positions: per axis, ascending, counted from the start of the box.
    """

    positions: tuple[tuple[int, ...], ...] = ()

    def __bool__(self) -> bool:
        return any(self.positions)

    def pooled(self) -> "Seams":
        """The seams after a pooling."""
        return Seams(
            tuple(
                tuple(itertools.accumulate((q - p) // 2 for p, q in itertools.pairwise((0, *places))))
                for places in self.positions
            )
        )

    def closed(self, x: Tensor) -> Tensor:
        """Features x (B, C, *spatial) without the odd positions before seams; x itself where there are none."""
        for axis, odd in self._odd():
            x = torch.cat([x.narrow(axis, a, b - a) for a, b in _between(odd, x.shape[axis])], axis)
        return x

    def opened(self, gradient: Tensor, x: Tensor) -> Tensor:
        """The transpose of :meth:`closed`: zeros at the positions that were dropped from x."""
        for axis, odd in self._odd():
            full = list(gradient.shape)
            full[axis] = x.shape[axis]
            wide = gradient.new_zeros(full)
            start = 0
            for a, b in _between(odd, x.shape[axis]):
                wide.narrow(axis, a, b - a).copy_(gradient.narrow(axis, start, b - a))
                start += b - a
            gradient = wide
        return gradient

    def _odd(self) -> list[tuple[int, list[int]]]:
        """The axes that lose positions, and those positions."""
        found = []
        for axis, places in enumerate(self.positions, start=2):
            odd = [q - 1 for p, q in itertools.pairwise((0, *places)) if (q - p) % 2]
            if odd:
                found.append((axis, odd))
        return found


def _between(gone: list[int], length: int) -> list[tuple[int, int]]:
    """The spans of 0 to length that lie between the positions that are gone."""
    edges = [-1, *gone, length]
    return [(p + 1, q) for p, q in itertools.pairwise(edges)]
