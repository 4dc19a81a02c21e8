"""What makes a unit fire: the patches of a folder's pictures that excite it most, and what in them does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from impasto.encoders import Encoder, Stack
from impasto.errors import LayerError
from impasto.studies.scanning import Progress, Scan
from impasto.tiling import Window

COUNT = 9
"""Patches per unit, as in the figures of Zeiler and Fergus (2014)."""

GRAY = 0.5
"""What a patch shows beyond its picture's edge, and a gradient where it is zero."""


@dataclass(frozen=True)
class Hit:
    """Where in a folder a unit fires strongly.

    Args:
        activation: how strongly.
        index: the picture's place in the scan.
        position: row and column in the layer's grid.
    """

    activation: float
    index: int
    position: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Patch:
    """A hit, looked at.

    Args:
        hit: where.
        path: the picture.
        field: the unit's receptive field in the picture at the scan's size; it may reach beyond the edges.
        pixels: what the unit sees, (1, 3, s, s) in [0, 1]; gray beyond the edges.
        gradient: the guided gradient of the activation there, likewise; zero beyond the edges.
    """

    hit: Hit
    path: Path
    field: Window
    pixels: Tensor
    gradient: Tensor


@dataclass
class Leaders:
    """The strongest hits of some units of a layer, one per picture, updated picture by picture.

    What is kept is three numbers per hit, so memory depends on the number of units alone. Of equal activations the
    earlier one stays.

    Args:
        units: the channels.
        count: how many hits are kept per unit.
    """

    units: Sequence[int]
    count: int = COUNT
    table: Tensor = field(init=False, repr=False)
    """(4, units, count): activation, picture, row, column."""

    def __post_init__(self) -> None:
        self.table = torch.zeros(4, len(self.units), self.count, dtype=torch.float64)

    def add(self, index: int, features: Tensor) -> None:
        """Compare with the features (1, C, H, W) of another picture."""
        values, places = features[0, list(self.units)].flatten(1).max(1)
        width = features.shape[-1]
        columns = (values, torch.full_like(places, index), places // width, places % width)
        fresh = torch.stack([column.double() for column in columns]).cpu()
        both = torch.cat([self.table, fresh[..., None]], dim=2)
        order = both[0].sort(dim=1, descending=True, stable=True).indices[:, : self.count]
        self.table = both.gather(2, order.expand(4, -1, -1))

    @property
    def hits(self) -> dict[int, list[Hit]]:
        """The hits of every unit, strongest first; fewer than ``count`` if it fired in fewer pictures."""
        rows = self.table.permute(1, 2, 0).tolist()
        return {
            unit: [Hit(value, int(index), (int(y), int(x))) for value, index, y, x in row if value > 0]
            for unit, row in zip(self.units, rows, strict=True)
        }


def strongest(
    encoder: Encoder,
    scan: Scan,
    units: Mapping[str, Sequence[int]],
    *,
    count: int = COUNT,
    progress: Progress | None = None,
) -> dict[str, dict[int, list[Hit]]]:
    """The strongest hits, so many per unit, by layer and unit, in one pass over a folder.

    Two pictures, the current one and the next, and one activation are alive at a time.
    """
    leaders = {layer: Leaders(channels, count) for layer, channels in units.items()}
    with torch.no_grad():
        for index, pixels in scan.each(progress):
            for layer, features in encoder.features(pixels.to(encoder.device), tuple(units)):
                leaders[layer].add(index, features)
    return {layer: found.hits for layer, found in leaders.items()}


def patches(encoder: Encoder, scan: Scan, layer: str, hits: Mapping[int, Sequence[Hit]]) -> dict[int, list[Patch]]:
    """Look at the hits of a layer's units: their pictures are read again, each once."""
    found: dict[tuple[int, Hit], Patch] = {}
    pairs = [(unit, hit) for unit, several in hits.items() for hit in several]
    for index in sorted({hit.index for _, hit in pairs}):
        image = scan.read(index).to(encoder.device)
        for unit, hit in pairs:
            if hit.index == index:
                found[unit, hit] = _patch(encoder, scan, image, layer=layer, unit=unit, hit=hit)
    return {unit: [found[unit, hit] for hit in several] for unit, several in hits.items()}


def _patch(encoder: Encoder, scan: Scan, image: Tensor, *, layer: str, unit: int, hit: Hit) -> Patch:
    seen = receptive_field(encoder.stack, layer, hit.position)
    gradient = guided_gradient(encoder, image, layer, unit, hit.position)
    path = scan.paths[hit.index]
    return Patch(hit, path, seen, cropped(image, seen, GRAY).cpu(), cropped(gradient, seen, 0.0).cpu())


def receptive_field(stack: Stack, layer: str, position: Sequence[int]) -> Window:
    """The box of the image that a position of a layer sees, in image positions; it may reach beyond the edges."""
    stride, radius = stack.stride(layer), stack.radius(layer)
    return Window(tuple(stride * k - radius for k in position), tuple(stride * k + stride + radius for k in position))


def guided_gradient(encoder: Encoder, image: Tensor, layer: str, unit: int, position: Sequence[int]) -> Tensor:
    """What in ``image`` raises a unit, by guided backpropagation (Springenberg et al. 2015, section 3.4).

    Only the part of the image that the unit sees is computed, cut where poolings begin, which changes nothing.

    Returns:
        (1, 3, H, W), zero outside of the receptive field.
    """
    stride, seen = encoder.stack.stride(layer), receptive_field(encoder.stack, layer, position)
    start = tuple(max(0, a) // stride * stride for a in seen.start)
    stop = tuple(min(n, -(-b // stride) * stride) for b, n in zip(seen.stop, image.shape[2:], strict=True))
    box = Window(start, stop)
    place = tuple(k - a // stride for k, a in zip(position, start, strict=True))

    def inject(_: str, out: Tensor) -> None:
        out[(0, unit, *place)] += 1

    with torch.no_grad():
        kept = encoder.forward(image[box.index], (layer,))
        result = torch.zeros_like(image)
        result[box.index] = encoder.backward(kept, (layer,), inject, guided=True)
    return result


def cropped(image: Tensor, box: Window, fill: float) -> Tensor:
    """The part of an image (1, 3, H, W) in a box, with ``fill`` where the box reaches beyond it."""
    result = image.new_full((*image.shape[:2], *(b - a for a, b in zip(box.start, box.stop, strict=True))), fill)
    start = tuple(max(0, a) for a in box.start)
    stop = tuple(min(b, n) for b, n in zip(box.stop, image.shape[2:], strict=True))
    inner = Window(start, stop)
    result[inner.moved(box.start).index] = image[inner.index]
    return result


def channels_of(stack: Stack, layer: str, units: str | None) -> tuple[int, ...]:
    """The channels that a word means: ``7``, ``0:12``, ``3,5,8:10``, or the first nine for None.

    Raises:
        LayerError: if it is no such word, or the layer has no such channel.
    """
    width = stack.channels(layer)
    found: list[int] = []
    for part in (f"0:{min(COUNT, width)}" if units is None else units).split(","):
        first, colon, last = (word.strip() for word in part.partition(":"))
        if not first.isdecimal() or (colon and not last.isdecimal()) or (colon and int(last) <= int(first)):
            raise LayerError(f"{units!r} does not name units; give numbers and ranges such as 7 or 0:12 or 3,5,8:10.")
        found += range(int(first), int(last) if colon else int(first) + 1)
    for unit in found:
        if unit >= width:
            raise LayerError(f"{layer} has no unit {unit}; it has {width}, 0 to {width - 1}.")
    return tuple(dict.fromkeys(found))
