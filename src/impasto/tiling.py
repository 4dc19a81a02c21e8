"""Cutting an image, and every layer above it, into tiles that can be computed one after the other.

A tile has a *core*, the positions it answers for, and a *halo* around it, which it needs to see so that features over
the core are exactly those of the whole image. Cores partition the image; boundaries between them fall on multiples of
the deepest stride, so they partition every layer too.
"""

import itertools
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """A box of positions: ``start`` (inclusive) and ``stop`` (exclusive) per spatial axis, in a layer's own grid."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def index(self) -> tuple[slice, ...]:
        """The index that takes this window out of features (B, C, *spatial)."""
        return (slice(None), slice(None), *map(slice, self.start, self.stop))

    def moved(self, origin: tuple[int, ...]) -> "Window":
        """The same window counted from ``origin``."""
        return Window(
            tuple(a - o for a, o in zip(self.start, origin, strict=True)),
            tuple(b - o for b, o in zip(self.stop, origin, strict=True)),
        )

    def reaching(self, margin: int, extent: tuple[int, ...]) -> "Window":
        """The window with ``margin`` more positions on the far side of each axis, as far as there are any."""
        return Window(self.start, tuple(min(b + margin, e) for b, e in zip(self.stop, extent, strict=True)))


@dataclass(frozen=True)
class Tile:
    """A core, and the box of the image to compute it from, both in image positions."""

    core: Window
    box: Window

    def core_at(self, stride: int, extent: tuple[int, ...], shape: tuple[int, ...]) -> Window:
        """The core in the grid of a layer with ``stride`` and ``extent``, of an image of ``shape``.

        The last core along an axis takes what is left of the layer there.
        """
        start = tuple(a // stride for a in self.core.start)
        stop = tuple(e if b == n else b // stride for b, e, n in zip(self.core.stop, extent, shape, strict=True))
        return Window(start, stop)

    def origin_at(self, stride: int) -> tuple[int, ...]:
        """Where the box begins in the grid of a layer with ``stride``."""
        return tuple(a // stride for a in self.box.start)


def whole(shape: tuple[int, ...]) -> tuple[Tile, ...]:
    """The one tile that is the whole image."""
    everything = Window((0,) * len(shape), shape)
    return (Tile(everything, everything),)


def tiles(shape: tuple[int, ...], core: int, halo: int, stride: int) -> tuple[Tile, ...]:
    """Tiles with cores of about ``core`` positions a side that cover an image of spatial ``shape``.

    Args:
        shape: the image's spatial extents.
        core: the desired side; cores along an axis are about equal, multiples of ``stride`` but for the last.
        halo: positions to see beyond a core; rounded up to a multiple of ``stride``.
        stride: the deepest stride in use.
    """
    halo = math.ceil(halo / stride) * stride
    axes = []
    for length in shape:
        count = max(1, math.ceil(length / core))
        side = math.ceil(length / count / stride) * stride
        axes.append([(a, min(a + side, length)) for a in range(0, length, side)])
    result = []
    for spans in itertools.product(*axes):
        start, stop = tuple(a for a, _ in spans), tuple(b for _, b in spans)
        box = Window(
            tuple(max(0, a - halo) for a in start),
            tuple(min(n, b + halo) for b, n in zip(stop, shape, strict=True)),
        )
        result.append(Tile(Window(start, stop), box))
    return tuple(result)
