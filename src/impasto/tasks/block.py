"""What tasks on volumes share: a volume in the place of a picture, and a result that is one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from impasto import images, volumes
from impasto.errors import SettingsError
from impasto.images import Picture, Source, sheet
from impasto.images.animation import write_gif
from impasto.memory.budget import Budget
from impasto.runs.result import Result
from impasto.settings import Settings
from impasto.volumes import Volume
from impasto.volumes.rendering import block, turning
from impasto.volumes.slicing import across

IDLE = ("color", "color_strength", "mask_strengths", "guidance", "photorealism")
"""The settings that have no say in volumes."""

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


@dataclass(frozen=True, eq=False, repr=False)
class BlockResult(Result):
    """A finished volume, and everything about how it came to be; a notebook shows its contact sheet.

    Args:
        volume: the voxels with their window and their place in space.
        title: what its contact sheet is called.
        beside: the volume or the pictures that it was made from, for the sheet.
    """

    volume: Volume = field(kw_only=True)
    title: str = field(kw_only=True, default="")
    beside: tuple[Picture, ...] = field(kw_only=True, default=())

    @classmethod
    def like(cls, result: Result, volume: Volume, title: str, beside: Sequence[Picture], **changes: Any) -> Self:
        """A result with its volume, and other changes."""
        known = {item.name: getattr(result, item.name) for item in fields(Result)}
        return cls(**{**known, **changes}, volume=volume, title=title, beside=tuple(beside))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.volume.shape))
        return f"BlockResult({shape}, {len(self.history)} steps, loss {self.delivered.value:.4g})"

    @property
    def sheet(self) -> Tensor:
        """The contact sheet: the block, what it was made from, and its slices, (1, 3, H, W) in [0, 1]."""
        return contact_sheet(self.volume, self.beside, self.title)

    @property
    def pil(self) -> Any:
        """The contact sheet as an 8-bit PIL image."""
        return images.to_pil(self.sheet)

    @property
    def array(self) -> NDArray[np.generic]:  # type: ignore[override]  # intensities have the original's type
        """What a file holds: intensities (D, H, W) of the original's type, or colors (D, H, W, 3) uint8."""
        return self.volume.samples()

    def save(
        self, path: str | Path | BinaryIO, *, metadata: bool = True, pictures: bool = False, **options: Any
    ) -> tuple[str, ...]:
        """Write the volume; the format follows the name, see :func:`impasto.volumes.write`.

        Args:
            path: where to.
            metadata: whether the file says how it was made.
            pictures: whether a contact sheet and a turning block are written beside it.
            options: none; pictures have some.

        Returns:
            Nothing to say.

        Raises:
            VolumeError: if it cannot be written; an existing file stays as it was.
            SettingsError: for a stream, or an option of pictures.
        """
        if options or not isinstance(path, (str, Path)):
            raise SettingsError("A volume is written to a file or folder without options; name one.")
        volumes.write(path, self.volume, recipe=self.recipe, metadata=metadata)
        if pictures:
            sheet_name, turning_name = picture_names(path)
            self.save_sheet(sheet_name)
            self.save_turning(turning_name)
        return ()

    def save_sheet(self, path: str | Path) -> None:
        """Write the contact sheet.

        Raises:
            ImageError: if it cannot be written.
        """
        images.write(path, self.sheet, parameters=images.mark(self.title))

    def save_turning(self, path: str | Path) -> None:
        """Write the block as it turns, a GIF.

        Raises:
            ImageError: if it cannot be written.
        """
        write_gif(path, turning(self.volume.voxels, self.volume.spacing))


def picture_names(path: str | Path) -> tuple[Path, Path]:
    """Where the contact sheet and the turning block of a volume go: ``out_sheet.png`` and ``out_turning.gif``."""
    where = Path(path)
    stem = where.name.removesuffix("".join(where.suffixes[-2:])) if where.name.endswith(".nii.gz") else where.stem
    return where.with_name(f"{stem}_sheet.png"), where.with_name(f"{stem}_turning.gif")


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
    views = [sheet.Tile(block(volume.voxels, volume.spacing, angle=angle, side=200)) for angle in (0.0, 2.4)]
    given = [sheet.Tile(_shown(_middle(picture)), (picture.source.name[:24],)) for picture in beside]
    strips = [sheet.Strip((*views, *given), ("the block", "from behind", *["made from"] * len(given)))]
    for axis, name in enumerate(_AXES):
        count = volume.shape[axis]
        places = (0.15, 0.4, 0.6, 0.85)
        tiles = tuple(sheet.Tile(_shown(across(voxels, axis, place))) for place in places)
        strips.append(sheet.Strip(tiles, tuple(f"{name} {round(place * (count - 1)) + 1}" for place in places)))
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
