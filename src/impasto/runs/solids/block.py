"""What runs over volumes share: a volume in the place of a picture, and a sheet that shows one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.errors import SettingsError
from impasto.images import Picture, Source, sheet
from impasto.memory.budget import Budget
from impasto.settings import Settings
from impasto.volumes import Volume
from impasto.volumes.rendering import block
from impasto.volumes.slicing import across

_LUMINANCE = (0.2126, 0.7152, 0.0722)  # of sRGB
_SIDE = 128  # pixels that a slice has on a sheet, at least
_AXES = ("slice", "row", "column")


@dataclass(frozen=True, eq=False)
class Block(Picture):
    """A volume in the place of a photo or a painting: pixels (1, 3, D, H, W).

    Args:
        volume: what it was made from.
    """

    volume: Volume

    @classmethod
    def of(cls, volume: Volume) -> Self:
        """The block of a volume."""
        origin = volume.origin
        depth = 8 if origin.dtype == "uint8" or not volume.gray else 16
        source = Source(origin.name, origin.path, origin.sha256, origin.format, depth, volume.gray)
        return cls(volume.voxels, None, source, volume)

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]  # three extents where a picture has two
        """Slices, rows and columns."""
        return self.volume.shape


def flat(settings: Settings) -> Settings:
    """The settings, if their padding is of something that has no poles.

    Raises:
        SettingsError: for ``equirectangular``, the border of a picture of a sphere.
    """
    if settings.padding == "equirectangular":
        raise SettingsError(
            "The padding equirectangular is that of a picture of a sphere; choose another for a volume."
        )
    return settings


def alone(budget: Budget) -> Budget:
    """The budget, if it is for one process.

    Raises:
        SettingsError: for several.
    """
    if budget.group.size > 1:
        raise SettingsError("Volumes are computed in one process; leave torchrun out.")
    return budget


def grayed(picture: Picture) -> Picture:
    """A picture whose three channels are its luminance."""
    weights = picture.pixels.new_tensor(_LUMINANCE).view(1, 3, *(1,) * (picture.pixels.dim() - 2))
    gray = (picture.pixels * weights).sum(1, keepdim=True).expand_as(picture.pixels).contiguous()
    return Picture(gray, picture.alpha, picture.source)


def contact_sheet(volume: Volume, beside: Sequence[Picture], title: str) -> Tensor:
    """Orthogonal slices of a volume, the block from two sides, and what it was made from, on one sheet.

    Args:
        volume: what is shown.
        beside: pictures, and volumes of which the middle slice is shown.
        title: above it all.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    voxels = _upright(volume)
    views = [sheet.SheetTile(block(volume.voxels, volume.spacing, angle=angle, side=200)) for angle in (0.0, 2.4)]
    given = [sheet.SheetTile(_shown(_middle(picture)), (picture.source.name[:24],)) for picture in beside]
    strips = [sheet.Strip((*views, *given), ("the block", "from behind", *["made from"] * len(given)))]
    for axis, name in enumerate(_AXES):
        count = volume.shape[axis]
        regions = (0.15, 0.4, 0.6, 0.85)
        tiles = tuple(sheet.SheetTile(_shown(across(voxels, axis, place))) for place in regions)
        strips.append(sheet.Strip(tiles, tuple(f"{name} {round(place * (count - 1)) + 1}" for place in regions)))
    return sheet.draw(strips, title)


def _middle(picture: Picture) -> Tensor:
    return across(_upright(picture.volume), 0, 0.5) if isinstance(picture, Block) else picture.pixels


def _upright(volume: Volume) -> Tensor:
    """The voxels as slices are looked at: of a patient, with the front and the top above."""
    if volume.origin.format not in ("NIfTI", "DICOM"):
        return volume.voxels
    axes = [2 + row for row in (0, 1) if volume.affine[2 - row, 2 - row] > 0]
    return volume.voxels.flip(axes)


def _shown(pixels: Tensor) -> Tensor:
    """A slice at a size that is seen on a screen: whole multiples of small ones, at most 200 pixels of large ones."""
    longest = max(pixels.shape[2:])
    if longest > 200:
        height, width = (max(1, round(side * 200 / longest)) for side in pixels.shape[2:])
        return nnf.interpolate(pixels, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    times = max(1, round(_SIDE / longest))
    return torch.as_tensor(nnf.interpolate(pixels, scale_factor=times, mode="nearest"))
