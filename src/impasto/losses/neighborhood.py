"""Blocks of neighboring positions, which losses on more than one position at a time are sums over.

A block belongs to the window that its first position lies in, so a window must see ``side - 1`` positions beyond its far
side (a loss's ``margin``). Blocks that would leave the image do not count.
"""

import itertools
from collections.abc import Iterator

from torch import Tensor

Shape = tuple[int, ...]


def blocks(features: Tensor, sides: Shape, core: Shape | None) -> Shape:
    """How many blocks of ``sides`` there are along each axis.

    Args:
        features: (B, C, *spatial), of a window with the positions beyond that it must see.
        sides: positions of a block along each axis.
        core: the window's extents; None for all positions.
    """
    reach = tuple(length - side + 1 for length, side in zip(features.shape[2:], sides, strict=True))
    return tuple(max(0, min(pair)) for pair in zip(reach, core or reach, strict=True))


def members(tensor: Tensor, sides: Shape, core: Shape | None) -> Iterator[Tensor]:
    """For each place in a block, the view (B, C, *blocks) of what stands there in every block.

    The first is the view of the blocks' first positions. Views overlap; writing into one writes into ``tensor``.
    """
    count = blocks(tensor, sides, core)
    for offset in itertools.product(*map(range, sides)):
        view = tensor
        for axis, (first, length) in enumerate(zip(offset, count, strict=True), start=2):
            view = view.narrow(axis, min(first, view.shape[axis]), length)
        yield view
