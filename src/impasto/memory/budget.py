"""What a run may use, and how each of its levels is computed within that: whole, in tiles, or with files beside memory."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ByteSize, TypeAdapter, ValidationError

from impasto import machine
from impasto.choices import Padding
from impasto.descent import Level
from impasto.encoders import Conv, Encoder
from impasto.engines.group import ALONE, Group, dealt
from impasto.errors import SettingsError
from impasto.tiling import Tile, Window, tiles

FOUNDATION = 500e6
"""Bytes that Python, torch and the weights take before the first image."""

_SHARE = 0.7  # of what is free, unless a budget is given
_IMAGE = 12  # bytes of a position of an image: three channels in float32
_PASSING = 2.0  # images that are in memory for a moment while one is resampled or transformed
_WORTH_SHARING = 2**16  # positions below which a level is not shared among processes
_LOOSE = 1.45  # times the memory of a tile's tensors that the C library takes for them, one shape after another
_SMALLEST = 128  # a core's side below which the halos would cost more than everything else
_PROCESSOR = torch.device("cpu")
_AMOUNT = TypeAdapter(ByteSize)
_UNIT_FORGOTTEN = 1e6  # bytes, of which no picture is made


def bytes_of(given: str | float | None) -> float | None:
    """An amount of memory as it is written: ``4GB``, ``800 MB``, ``1.5GiB``, or a number of bytes.

    >>> bytes_of("4GB"), bytes_of("512 MiB")
    (4000000000.0, 536870912.0)

    Raises:
        SettingsError: if it is not one, or so little that a unit must have been forgotten.
    """
    if given is None:
        return None
    try:
        amount = float(_AMOUNT.validate_python(given))
    except (ValidationError, OverflowError):
        raise SettingsError(f"The memory {given!r} is not an amount; write it like 4GB or 800MB.") from None
    if amount < _UNIT_FORGOTTEN:
        raise SettingsError(f"The memory {given!r} is {amount:.0f} bytes; write it with a unit, like 4GB or 800MB.")
    return amount


@dataclass(frozen=True)
class Budget:
    """What a run may use.

    Args:
        memory: bytes that each process may have resident, on a CUDA device in its memory; a share of what is free unless
            given.
        group: the processes that work together.
    """

    memory: float | None = None
    group: Group = field(default=ALONE, compare=False)

    def bytes(self, where: torch.device) -> float:
        """The memory of this process where it computes, in bytes."""
        sharing = 1 if where.type == "cuda" else self.group.local  # each process has a device of its own
        return self.memory or _SHARE * machine.free_memory(where) / sharing


WHOLE = Budget()
"""A share of what is free, for one process."""


@dataclass(frozen=True)
class Demand:
    """What one level asks for, in bytes, whatever way it is computed.

    Args:
        shape: its spatial shape.
        pictures: the photo and the paintings at their own sizes.
        images: how many images of the level's size the optimizer holds besides what it remembers.
        pairs: how many more it remembers.
        targets: features of the photo that are kept, per position.
        style: the widest activations of a painting at the size it is seen, in bytes.
        divisible: whether a painting's statistics can be taken in tiles too.
        device: where it is computed; only the processor's memory can have files beside it.
        kept: activations of an evaluation, per position.
        peak: those with the gradients on their way down, per position.
    """

    shape: tuple[int, ...]
    pictures: float
    images: float
    pairs: float
    targets: float
    style: float
    kept: float
    peak: float
    divisible: bool = True
    device: torch.device = _PROCESSOR

    @property
    def positions(self) -> int:
        """Of the level's image."""
        return math.prod(self.shape)

    @property
    def state(self) -> float:
        """The optimizer's images in memory."""
        return _IMAGE * self.positions * (self.images + self.pairs)

    @property
    def filed(self) -> float:
        """The optimizer's images in files, what it remembers in half precision, and the photo's features."""
        return self.positions * (_IMAGE * (self.images + self.pairs / 2) + self.targets)

    @property
    def base(self) -> float:
        """What is in memory however the level is computed."""
        return FOUNDATION + self.pictures


@dataclass(frozen=True)
class Layout:
    """How one level is computed.

    Args:
        shape: its spatial shape.
        tiles: the tiles, or None for the whole image at once.
        keep: of how many tiles the activations are kept between the passes.
        memory: the peak, in bytes of a process.
        files: bytes in files beside memory, 0 where everything is in memory.
        cost: work relative to that of the whole image in one process, which makes two passes over every position.
    """

    shape: tuple[int, ...]
    tiles: tuple[Tile, ...] | None
    keep: int
    memory: float
    files: float
    cost: float

    def plain(self) -> tuple[Any, ...]:
        """As numbers and tuples of them, for :meth:`of`."""
        tiles = self.tiles and [(tile.core.start, tile.core.stop, tile.box.start, tile.box.stop) for tile in self.tiles]
        return self.shape, tiles, self.keep, self.memory, self.files, self.cost

    @classmethod
    def of(cls, plain: Sequence[Any]) -> "Layout":
        """The layout that :meth:`plain` told."""
        shape, cut, *rest = plain
        tiles = cut and tuple(Tile(Window(a, b), Window(c, d)) for a, b, c, d in cut)
        return cls(shape, tiles, *rest)


def demand(
    encoder: Encoder,
    layers: Sequence[str],
    content_layers: Sequence[str],
    level: Level,
    *,
    pictures: float,
    style: int,
    divisible: bool,
    optimizer: tuple[float, float],
    beside: float = 0.0,
) -> Demand:
    """What a level asks for.

    Args:
        encoder: the network at the run's precision.
        layers: those that are looked at.
        content_layers: those of them whose features of the photo are kept.
        level: the level.
        pictures: bytes of the photo and the paintings at their own sizes.
        style: positions of the largest painting at the size it is seen.
        divisible: whether its statistics can be taken in tiles.
        optimizer: what :func:`history_of` says.
        beside: bytes of a position that losses on the picture itself take while they are computed.
    """
    size, stack = encoder.dtype.itemsize, encoder.stack
    below = stack.until(encoder.deepest(layers))
    kept = size * sum(_values(encoder, layer) for layer in below)
    widest = size * max((_values(encoder, layer) for layer in below), default=0.0)
    padded = widest if encoder.padding != "zero" else 0.0
    targets = sum(stack.channels(layer) / stack.stride(layer) ** encoder.dims for layer in content_layers)
    return Demand(
        level.shape,
        pictures,
        *optimizer,
        targets=size * targets,
        style=style * (2 * widest + padded + _IMAGE),
        kept=kept + 2 * _IMAGE,
        peak=kept + 2 * widest + padded + 3 * _IMAGE + beside,
        divisible=divisible,
        device=encoder.device,
    )


def arrange(want: Demand, budget: Budget, halo: int, stride: int, padding: Padding = "zero") -> Layout:
    """The cheapest way to compute a level within a budget.

    Everything at once, if it fits. Else in tiles; and if the optimizer's images leave too little room for tiles of a
    good size, those go into files.

    Raises:
        SettingsError: if no way fits, with what it would take.
    """

    def cuts() -> Iterator[tuple[Tile, ...]]:
        for cores in _candidates(want.shape, processes, bands=padding == "equirectangular"):
            yield tiles(want.shape, cores, halo, stride, wraps=padding == "circular")

    total = budget.bytes(want.device)
    shared = budget.group.size > 1 and want.positions >= _WORTH_SHARING
    processes = budget.group.size if shared else 1
    features = want.positions * want.targets
    whole = want.base + want.state + features + max(want.style, want.positions * want.peak)
    if whole <= total and not shared:
        return Layout(want.shape, None, 1, whole, 0.0, 1.0)
    style = 0.0 if want.divisible else want.style
    passing = _PASSING * _IMAGE * want.positions
    found = []
    ways = [(want.state + features, style, 0.0), (0.0, max(style, passing), want.filed)]
    if want.device.type != "cpu":
        ways.pop()
    for base, least, files in ways:
        used = want.base + base
        cut = _cheapest(want, total - used, processes, cuts())
        if cut and used + least <= total:
            found.append(Layout(want.shape, cut[0], cut[1], used + max(least, cut[2]), files, cut[3]))
    if not found:
        smallest = _LOOSE * want.peak * min(want.positions, (_SMALLEST + 2 * halo) ** len(want.shape))
        raise SettingsError(_too_little(want, total, want.base + ways[-1][0] + max(ways[-1][1], smallest)))
    return min(found, key=lambda layout: layout.cost * (1.1 if layout.files else 1.0))


def _too_little(want: Demand, total: float, least: float) -> str:
    size = " x ".join(str(length) for length in reversed(want.shape))
    return (
        f"A picture of {size} needs about {least / 1e9:.1f} GB of memory even in the smallest tiles, but it may use "
        f"{total / 1e9:.1f} GB; give it more with --memory, or choose a smaller size or smaller paintings."
    )


def _cheapest(
    want: Demand, execution: float, processes: int, cuts: Iterator[tuple[Tile, ...]]
) -> tuple[tuple[Tile, ...], int, float, float] | None:
    """The cheapest tiles that fit into so many bytes, how many are kept, their peak in bytes and their cost."""
    best: tuple[tuple[Tile, ...], int, float, float] | None = None
    for cut in cuts:
        largest = max(tile.box.positions for tile in cut)
        peak = _LOOSE * want.peak * largest
        if peak > execution:
            continue
        shares = dealt(cut, processes)
        another = _LOOSE * want.kept * largest
        keep = min(max(map(len, shares)), 1 + int((execution - peak) // another))
        cost = max(_work(share, keep) for share in shares) / (2 * want.positions)
        if best is None or cost < best[3]:
            best = cut, keep, peak + (keep - 1) * another, cost
        elif cost > 1.3 * best[3]:
            break
    return best


def _work(share: Sequence[Tile], keep: int) -> float:
    """Positions passed over: twice forward and once back, but only once forward where activations are kept."""
    after = len(share) - keep
    return sum((2 if index >= after else 3) * tile.box.positions for index, tile in enumerate(share))


def _candidates(shape: tuple[int, ...], processes: int, *, bands: bool) -> Iterator[tuple[int, ...]]:
    """Sides of cores to try, large to small: bands across the longest axis, then about equal sides; or bands of rows."""
    longest = max(shape)
    axis = shape.index(longest)
    if bands:
        yield from ((math.ceil(shape[0] / count), *shape[1:]) for count in range(1, 1 + shape[0] // _SMALLEST))
        return
    for count in range(1, 5):
        parts = processes * count
        yield tuple(math.ceil(length / parts) if place == axis else length for place, length in enumerate(shape))
    side, count = longest, 1
    while side >= _SMALLEST or count == 1:
        yield (side,) * len(shape)
        count += max(1, count // 8)
        side = math.ceil(longest / count)


def _values(encoder: Encoder, layer: object) -> float:
    """Values per image position of a layer's output that is kept; averages are not."""
    if not isinstance(layer, Conv):
        return 0.0
    return layer.channels_out / float(encoder.stack.stride(layer.name) ** encoder.dims)


def history_of(optimizer: str, history: int, evaluations: int) -> tuple[float, float]:
    """How many images an optimizer holds, and how many more it remembers, after so many evaluations."""
    if optimizer == "adam":
        return 8.0, 0.0
    if optimizer == "gradient-descent":
        return 6.0, 0.0
    return 6.5, 2.0 * min(history, max(1, evaluations - 2))


def compact_from(layouts: Sequence[Layout]) -> float:
    """The number of values from which L-BFGS remembers in half precision: where files are used."""
    sizes = [3 * math.prod(layout.shape) for layout in layouts if layout.files]
    return min(sizes, default=math.inf)
