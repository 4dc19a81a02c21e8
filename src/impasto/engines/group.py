"""Who shares the tiles of an evaluation. One process, here, has them all; for several see ``engines/ranks.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from impasto.storage import Storage
from impasto.tiling import Tile


@dataclass(frozen=True, eq=False)
class Share:
    """What one process works on.

    Args:
        tiles: its share of the tiles.
        image: the region of the image that their boxes lie in.
        origin: where that region begins in the image.
    """

    tiles: Sequence[Tile]
    image: Tensor
    origin: tuple[int, ...]


def dealt(cut: Sequence[Tile], processes: int) -> list[Sequence[Tile]]:
    """Tiles in as many runs of neighbors as there are processes, with about equal work; only the first has always some."""
    total = sum(tile.box.positions for tile in cut)
    shares: list[list[Tile]] = [[] for _ in range(processes)]
    done = 0.0
    for index, tile in enumerate(cut):
        middle = done + tile.box.positions / 2
        shares[min(processes - 1, index, int(processes * middle / total))].append(tile)
        done += tile.box.positions
    return list(shares)


class Group:
    """One process: it has every tile, and its sums are the sums of all.

    The first process of a group evaluates, the others assist it (:meth:`impasto.engines.Engine.assist`).
    """

    rank: int = 0
    size: int = 1
    local: int = 1
    """Processes of the group on this machine, which share its memory."""

    def deal(self, cut: Sequence[Tile], image: Tensor, *, gradient: bool) -> Share:  # noqa: ARG002 - others are told
        """Share the tiles out, with the regions of the image they need; the first process's share."""
        return Share(cut, image, (0,) * (image.dim() - 2))

    def receive(self, cut: Sequence[Tile], shape: tuple[int, ...]) -> Share:
        """The share of one of the other processes."""
        raise NotImplementedError

    def add(self, sums: list[Tensor]) -> list[Tensor]:
        """The sum over processes of tensors that each has; a process without a share gives an empty list."""
        return sums

    def give(self, found: Tensor | None) -> None:
        """Send a share's gradient to the first process."""
        raise NotImplementedError

    def collect(self, found: Tensor, cut: Sequence[Tile], image: Tensor, storage: Storage) -> Tensor:  # noqa: ARG002
        """The whole gradient, from the first process's own and those given."""
        return found

    def announce(self, order: tuple[Any, ...]) -> None:
        """Tell the others what comes next; plain data."""


ALONE = Group()
"""The group of one process."""
