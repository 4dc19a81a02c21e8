"""What the units of a network see, drawn: sheets of patches, guided gradients and preferred pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto import machine
from impasto.choices import Pooling
from impasto.encoders import IMAGE, Encoder, load
from impasto.errors import LayerError
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import resize
from impasto.studies.patches import GRAY, Patch, channels_of, patches, strongest
from impasto.studies.preferred import Preference, preferred
from impasto.studies.scanning import Progress, Scan

BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""The layers of the sheet over a whole network."""

_SIDE, _SEAM = 3, 2  # patches along a mosaic's side, and pixels between them

Told = Callable[[str], Progress | None]
"""Makes a progress for a part of the work, given a word for it."""


@dataclass(frozen=True)
class Eye:
    """Which network looks, and how.

    Args:
        network: by name.
        weights: a file with another one.
        pooling: ``max``, with which the networks were trained; averages blur what deep units see.
        device: where.
    """

    network: str = "vgg19"
    weights: str | Path | None = None
    pooling: Pooling = "max"
    device: str = "auto"

    def encoder(self) -> Encoder:
        """The network.

        Raises:
            ImpastoError: if there is no such network or device.
        """
        stack, parameters = load(self.network, self.weights)
        return Encoder(stack, parameters, pooling=self.pooling, device=machine.device(self.device))


@dataclass(frozen=True, eq=False)
class Visualization:
    """A sheet and what it shows.

    Args:
        sheet: (1, 3, H, W) in [0, 1].
        found: the patches by layer and unit, strongest first.
        preferred: the preferred pictures by layer and unit.
        images: how many pictures the folder has.
        skipped: a sentence for every picture that was left out.
    """

    sheet: Tensor
    found: Mapping[str, Mapping[int, Sequence[Patch]]]
    preferred: Mapping[tuple[str, int], Tensor] = field(default_factory=dict)
    images: int = 0
    skipped: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[dict[str, Any]]:
        """Every patch as plain data.

        ``layer``, ``unit``, ``activation``, ``image`` (its path), ``position`` (row and column in the layer), ``start``
        and ``stop`` (of the receptive field, in pixels of the picture at the size of the scan).
        """
        return [
            {
                "layer": layer,
                "unit": unit,
                "activation": patch.hit.activation,
                "image": str(patch.path),
                "position": list(patch.hit.position),
                "start": list(patch.field.start),
                "stop": list(patch.field.stop),
            }
            for layer, units in self.found.items()
            for unit, several in units.items()
            for patch in several
        ]


@machine.undisturbed()
def visualize_patches(
    folder: str | Path,
    layer: str,
    units: str | None = None,
    *,
    eye: Eye | None = None,
    size: int = 256,
    cell: int = 64,
    told: Told = lambda _: None,
) -> Visualization:
    """The nine patches of a folder's pictures that excite each unit most, beside their guided gradients.

    As in Zeiler and Fergus (2014, figure 2), with guided backpropagation (Springenberg et al. 2015) in the place of
    deconvolution. The folder is scanned once; then the pictures of the patches are read again.

    Args:
        folder: the pictures, folders below it included.
        layer: a convolution or pooling.
        units: such as ``7``, ``0:12`` or ``3,5,8:10``; the first nine unless given.
        eye: the network.
        size: the long side that pictures are brought to.
        cell: the side at which a patch is drawn.
        told: makes a progress for each part of the work.

    Raises:
        ImpastoError: if there are no pictures, no such layer, or no such unit.
    """
    encoder = (eye or Eye()).encoder()
    name = encoder.stack.canonical(layer)
    if name == IMAGE:
        raise LayerError("The image is not a layer with units; name a layer such as conv3_1.")
    channels = channels_of(encoder.stack, name, units)
    scan = Scan(Path(folder), size, encoder.stack.stride(name))
    found = _found(encoder, scan, {name: channels}, told)
    pairs = [_beside(unit, several, cell) for unit, several in found[name].items()]
    strips = [_strip([tile for pair in pairs[at : at + 3] for tile in pair]) for at in range(0, len(pairs), 3)]
    sheet = draw(strips, f"{name}: strongest patches of {len(scan.paths)} pictures, and what in them excites the unit")
    return Visualization(sheet, found, {}, len(scan.paths), tuple(scan.skipped))


@machine.undisturbed()
def visualize_network(
    folder: str | Path,
    layers: Sequence[str] = BLOCKS,
    units: str | None = "0:3",
    *,
    eye: Eye | None = None,
    how: Preference | None = None,
    size: int = 256,
    cell: int = 48,
    told: Told = lambda _: None,
) -> Visualization:
    """One sheet over several layers: patches, guided gradients and preferred pictures of some units of each.

    Arguments and errors as for :func:`visualize_patches`, and ``how`` the preferred pictures are made. The folder is
    scanned once for all layers.
    """
    encoder = (eye or Eye()).encoder()
    names = [encoder.stack.canonical(layer) for layer in layers]
    for name in names:
        if name not in [layer.name for layer in encoder.stack.convolutions]:
            raise LayerError(f"{name} is not a convolution; name layers such as {', '.join(BLOCKS)}.")
    channels = {name: channels_of(encoder.stack, name, units) for name in names}
    scan = Scan(Path(folder), size, max(encoder.stack.stride(name) for name in names))
    found = _found(encoder, scan, channels, told)
    liked = {
        (name, unit): preferred(encoder, name, unit, how, progress=told(f"{name} unit {unit}"))
        for name in names
        for unit in channels[name]
    }
    side = _SIDE * cell + (_SIDE - 1) * _SEAM
    strips = []
    for name in names:
        sees = encoder.stack.stride(name) + 2 * encoder.stack.radius(name)
        tiles: list[tuple[str, SheetTile]] = []
        for unit, several in found[name].items():
            tiles += _beside(unit, several, cell)
            tiles.append(("preferred", SheetTile(_fit(liked[name, unit], side))))
        strips.append(_strip(tiles, f"{name}, sees {sees}"))
    sheet = draw(strips, f"What the units of {encoder.stack.name} see: patches, guided gradients, preferred pictures")
    return Visualization(sheet, found, liked, len(scan.paths), tuple(scan.skipped))


@machine.undisturbed()
def visualize_unit(
    layer: str,
    unit: int,
    *,
    eye: Eye | None = None,
    how: Preference | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """The picture (1, 3, s, s) that a unit or a channel likes best; see :func:`impasto.studies.preferred.preferred`.

    Raises:
        ImpastoError: if there is no such network, layer or unit.
    """
    encoder = (eye or Eye()).encoder()
    name = encoder.stack.canonical(layer)
    channels_of(encoder.stack, name, str(unit))
    return preferred(encoder, name, unit, how, progress=progress)


def _found(
    encoder: Encoder, scan: Scan, channels: Mapping[str, Sequence[int]], told: Told
) -> dict[str, dict[int, list[Patch]]]:
    hits = strongest(encoder, scan, channels, progress=told("pictures"))
    return {layer: patches(encoder, scan, layer, several) for layer, several in hits.items()}


def _strip(named: Sequence[tuple[str, SheetTile]], label: str = "") -> Strip:
    return Strip(tuple(tile for _, tile in named), tuple(name for name, _ in named), label)


def _beside(unit: int, several: Sequence[Patch], cell: int) -> list[tuple[str, SheetTile]]:
    """Three by three patches, and their gradients."""
    pixels = [_fit(patch.pixels, cell) for patch in several]
    gradients = [_shown(patch.gradient, cell) for patch in several]
    return [(f"unit {unit}", _mosaic(pixels, cell)), ("guided gradient", _mosaic(gradients, cell))]


def _shown(gradient: Tensor, cell: int) -> Tensor:
    """A gradient around gray, scaled so that all but its largest hundredth is within range."""
    small = nnf.interpolate(gradient, (cell, cell), mode="area") if gradient.shape[-1] > cell else _fit(gradient, cell)
    most = torch.quantile(small.abs(), 0.99).clamp(min=1e-30)
    return (GRAY + GRAY * small / most).clamp(0, 1)


def _mosaic(several: Sequence[Tensor], cell: int) -> SheetTile:
    """Pictures of side ``cell`` row by row, white where there are fewer than nine."""
    side = _SIDE * cell + (_SIDE - 1) * _SEAM
    page = torch.ones(1, 3, side, side)
    for index, picture in enumerate(several):
        top, left = (place * (cell + _SEAM) for place in divmod(index, _SIDE))
        page[..., top : top + cell, left : left + cell] = picture
    return SheetTile(page)


def _fit(picture: Tensor, side: int) -> Tensor:
    """A square picture at another size; enlarged, its pixels stay visible."""
    if picture.shape[-1] >= side:
        return resize(picture, (side, side))
    return nnf.interpolate(picture, (side, side), mode="nearest-exact")
