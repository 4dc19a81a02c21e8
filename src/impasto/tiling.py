"""Cutting an image, and every layer above it, into tiles that can be computed one after the other.

A tile has a *core*, the positions it answers for, and a *halo* around it, which it needs to see so that features over
the core are exactly those of the whole image. Cores partition the image; boundaries between them fall on multiples of
the deepest stride, so they partition every layer too.

Where an image continues beyond its border on its far side, so do boxes: positions are *unrolled*, copy after copy of
the image, and those below 0 or beyond its end belong to a neighboring copy.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impasto.errors import SettingsError


@dataclass(frozen=True)
class Window:
    """A box of positions: ``start`` (inclusive) and ``stop`` (exclusive) per spatial axis, in a layer's own grid."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def index(self) -> tuple[slice, ...]:
        """The index that takes this window out of features (B, C, *spatial)."""
        return (slice(None), slice(None), *map(slice, self.start, self.stop))

    @property
    def shape(self) -> tuple[int, ...]:
        """Positions along each axis."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def positions(self) -> int:
        """All positions."""
        return math.prod(self.shape)

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
    """A core, and the box of the image to compute it from, both in image positions.

    Args:
        core: the positions it answers for; inside the image.
        box: the core with its halo; unrolled where the image wraps.
    """

    core: Window
    box: Window

    def core_at(self, stride: int, shape: tuple[int, ...]) -> Window:
        """The core in the grid of a layer with ``stride``, of an image of ``shape``.

        The last core along an axis takes what is left of the layer there.
        """
        return Window(_in_layer(self.core.start, stride, shape), _in_layer(self.core.stop, stride, shape))

    def origin_at(self, stride: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Where the box begins in the unrolled grid of a layer with ``stride``."""
        return _in_layer(self.box.start, stride, shape)

    def seams(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Per axis, where in the box the image ends and begins again, counted from the box's own start."""
        return tuple(
            tuple(range((a // n + 1) * n - a, b - a, n))
            for a, b, n in zip(self.box.start, self.box.stop, shape, strict=True)
        )

    def pieces(self, shape: tuple[int, ...]) -> Iterator[tuple[Window, Window]]:
        """The box as windows inside one copy of the image each: where in the image, and where in the box."""
        axes = []
        for a, b, n in zip(self.box.start, self.box.stop, shape, strict=True):
            cuts = [a, *range((a // n + 1) * n, b, n), b]
            axes.append([(p % n, p % n + q - p, p - a, q - a) for p, q in itertools.pairwise(cuts)])
        for spans in itertools.product(*axes):
            first, last, begin, end = zip(*spans, strict=True)
            yield Window(first, last), Window(begin, end)


def whole(shape: tuple[int, ...]) -> tuple[Tile, ...]:
    """The one tile that is the whole image."""
    everything = Window((0,) * len(shape), shape)
    return (Tile(everything, everything),)


def tiles(
    shape: tuple[int, ...], core: int | Sequence[int], halo: int, stride: int, *, wraps: bool = False
) -> tuple[Tile, ...]:
    """Tiles with cores of about ``core`` positions a side that cover an image of spatial ``shape``.

    Args:
        shape: the image's spatial extents.
        core: the desired side, or one per axis; cores along an axis are about equal, multiples of ``stride`` but for
            the last.
        halo: positions to see beyond a core; rounded up to a multiple of ``stride``.
        stride: the deepest stride in use.
        wraps: whether what lies beyond a border is the image's far side. Boxes of an axis that is cut then go on there.
    """
    halo = math.ceil(halo / stride) * stride
    sides = (core,) * len(shape) if isinstance(core, int) else core
    axes = [
        [(*span, *_box(span, length, halo, stride, wraps=wraps)) for span in _spans(length, side, stride)]
        for length, side in zip(shape, sides, strict=True)
    ]
    result = []
    for spans in itertools.product(*axes):
        start, stop, first, last = zip(*spans, strict=True)
        result.append(Tile(Window(start, stop), Window(first, last)))
    return tuple(result)


def check(cut: Sequence[Tile], shape: tuple[int, ...], halo: int, stride: int, *, wraps: bool = False) -> None:
    """Refuse tiles that would not add up to the whole: not a partition, out of step with the layers, or seeing too little.

    Args:
        cut: the tiles.
        shape: the image's spatial extents.
        halo: positions that a core must see beyond itself.
        stride: the deepest stride in use.
        wraps: as for :func:`tiles`.

    Raises:
        SettingsError: naming the first tile that is wrong, and how.
    """
    if sum(tile.core.positions for tile in cut) != math.prod(shape) or len({tile.core for tile in cut}) < len(cut):
        raise SettingsError(f"The tiles' cores do not cover an image of {shape} once; cut the image with tiles().")
    for tile in cut:
        for axis, length in enumerate(shape):
            span = (tile.core.start[axis], tile.core.stop[axis])
            box = (tile.box.start[axis], tile.box.stop[axis])
            if span[0] % stride or (span[1] % stride and span[1] != length) or box[0] % length % stride:
                raise SettingsError(f"The tile at {span} is not on multiples of {stride}, the deepest layer's stride.")
            need = _box(span, length, math.ceil(halo / stride) * stride, stride, wraps=wraps)
            if box != (0, length) and (box[0] > need[0] or box[1] < need[1]):
                raise SettingsError(f"The tile at {span} sees {box}, but needs {need}: a halo of {halo}.")


def _spans(length: int, side: int, stride: int) -> list[tuple[int, int]]:
    """The cores along one axis."""
    count = max(1, math.ceil(length / side))
    side = math.ceil(length / count / stride) * stride
    return [(a, min(a + side, length)) for a in range(0, length, side)]


def _box(core: tuple[int, int], length: int, halo: int, stride: int, *, wraps: bool) -> tuple[int, int]:
    """The span that shows a core with its halo."""
    start, stop = core
    if not wraps:
        return max(0, start - halo), min(length, stop + halo)
    if stop - start == length:
        return core
    # A copy of the image ends, for its deepest layer, at the last whole block: the positions after it bridge nothing.
    blocks = length // stride * stride
    last = math.ceil((min(stop, blocks) + halo) / stride) * stride
    return _unrolled(start - halo, blocks, length), _unrolled(last, blocks, length)


def _unrolled(position: int, blocks: int, length: int) -> int:
    copy, rest = divmod(position, blocks)
    return copy * length + rest


def _in_layer(at: tuple[int, ...], stride: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Image positions in the grid of a layer, both unrolled: every copy of the image has whole positions of its own."""
    return tuple(p // n * (n // stride) + p % n // stride for p, n in zip(at, shape, strict=True))
