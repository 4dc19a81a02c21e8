"""A volume in memory: voxels to work on, where they are in space, and what to remember of the files they came from."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import VolumeError
from impasto.files import Files

VOLUMES = Files("a volume", VolumeError)

CAUTION = "Made by impasto with style transfer: a picture, not data. Not for diagnosis."
"""What every volume that is written says of itself."""

MAX_VOXELS = 2**29
"""The most voxels of a volume that is read: 800 along every side, and some."""

_PERCENTILES = (0.5, 99.5)
_SAMPLE = 2**22  # voxels that percentiles are taken from


@dataclass(frozen=True)
class Origin:
    """Where a volume came from.

    Args:
        name: file or folder name, or a word such as "array".
        path: the file or folder, or None.
        sha256: hex digest of the bytes of the file; of the files' digests for a series; of an array's values.
        format: ``NIfTI``, ``DICOM``, ``TIFF``, ``NPY`` or ``array``.
        dtype: numpy's name for the type of the stored intensities.
        gray: whether there is one intensity per voxel and not a color.
        header: what the format's writer takes over: a NIfTI header or the first data set of a DICOM series.
        inverted: whether the lowest intensity is white, as in radiographs (MONOCHROME1) and facsimiles (WhiteIsZero):
            voxels are as one sees them, and intensities as they were stored.
        remarks: sentences on what was taken for granted while reading.
    """

    name: str
    path: Path | None
    sha256: str
    format: str
    dtype: str = "uint8"
    gray: bool = True
    header: Any = None
    inverted: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume in colors, or in grays that are colors of three equal parts.

    Args:
        voxels: (1, 3, D, H, W) float32 in [0, 1].
        window: the intensities that 0 and 1 stand for: ``intensity = low + value (high - low)``; the other way round if
            they are inverted.
        affine: (4, 4), from (column, row, slice, 1), that is from positions along W, H and D, to millimeters that grow
            to the right, the front and the top of a patient (RAS+, as in NIfTI).
        origin: where it came from.
    """

    voxels: Tensor
    window: tuple[float, float]
    affine: NDArray[np.float64]
    origin: Origin

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        depth, height, width = self.voxels.shape[2:]
        return depth, height, width

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimeters between slices, rows and columns."""
        columns, rows, slices = (float(step) for step in np.linalg.norm(self.affine[:3, :3], axis=0))
        return slices, rows, columns

    @property
    def gray(self) -> bool:
        """Whether it has intensities and not colors."""
        return self.origin.gray

    def like(self, voxels: Tensor, *, color: bool = False) -> Self:
        """Other voxels (1, 3, D, H, W) in [0, 1], perhaps of another number, in the box that the volume fills.

        With ``color`` they are colors even if these are grays.
        """
        known = self.origin
        if color:
            known = replace(known, gray=False, dtype="uint8", inverted=False)
        affine = resampled_affine(self.affine, self.shape, tuple(voxels.shape[2:]))
        return replace(self, voxels=voxels, affine=affine, origin=known)

    def samples(self, kind: np.dtype[Any] | None = None) -> NDArray[Any]:
        """What a file holds: intensities (D, H, W), of the original's type unless given, or colors (D, H, W, 3) of 8 bits."""
        if not self.gray:
            return (self.voxels[0].clamp(0, 1) * 255).round().permute(1, 2, 3, 0).contiguous().numpy().astype(np.uint8)
        low, high = self.window
        kind = np.dtype(self.origin.dtype) if kind is None else kind
        shown = self.voxels[0].clamp(0, 1).double().mean(0).numpy()
        values = low + (1 - shown if self.origin.inverted else shown) * (high - low)
        if kind.kind in "iu":
            values = values.round().clip(*_limits(kind))
        return np.asarray(values.astype(kind))


def _limits(kind: np.dtype[Any]) -> tuple[float, float]:
    """The lowest and the highest float64 that a type of whole numbers holds."""
    low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    return low, high if int(high) <= np.iinfo(kind).max else float(np.nextafter(high, 0))


def resampled_affine(
    affine: NDArray[np.float64], before: tuple[int, ...], after: tuple[int, ...]
) -> NDArray[np.float64]:
    """The affine of a grid of shape ``after`` (D, H, W) that fills the same box as one of shape ``before``.

    The box begins half a voxel before the center of the first voxel, and that is where both begin.
    """
    scale = np.array([old / new for old, new in zip(before, after, strict=True)])[::-1]
    change = np.eye(4)
    change[:3, :3] = np.diag(scale)
    change[:3, 3] = (scale - 1) / 2
    return affine @ change


def assembled(
    samples: NDArray[Any],
    origin: Origin,
    affine: NDArray[np.float64] | None = None,
    window: tuple[float, float] | None = None,
    *,
    blank: NDArray[np.bool_] | None = None,
    bits: int = 8,
) -> Volume:
    """A volume from intensities (D, H, W), or from colors (D, H, W, 3) of 8 or 16 bits or in [0, 1].

    Args:
        samples: as stored.
        origin: where they are from; ``dtype`` and ``gray`` are found here.
        affine: as of :class:`Volume`; one millimeter per voxel unless given.
        window: the intensities that become 0 and 1, and beyond which they are cut off. Unless given, grays of 8 bits are
            taken as they are, and others from their 0.5th to their 99.5th percentile.
        blank: which intensities are none, but padding around the picture: black, and without a say in the window.
        bits: how many of 8 bits are used.

    Raises:
        VolumeError: if there is no volume of finite and different intensities in them.
    """
    remarks = origin.remarks
    if samples.dtype == bool:
        samples = samples.astype(np.uint8) * np.uint8(255)
        remarks = (*remarks, f"The truth values of {origin.name} are taken for 0 and 255.")
    gray = samples.ndim == 3
    _check(samples, origin.name)
    if not gray and window is not None:
        raise VolumeError(f"{origin.name} has colors, which have no window; leave --window out.")
    found = window or (_window(samples, origin.name, blank, bits) if gray else _range(samples, origin.name))
    pixels = torch.from_numpy(np.ascontiguousarray(_shown(samples, found, blank, inverted=origin.inverted)))
    voxels = pixels.expand(3, *pixels.shape) if gray else pixels.permute(3, 0, 1, 2)
    place, troubles = _placed(affine, origin.name)
    kind = np.dtype(np.float64) if samples.dtype.itemsize > 8 else samples.dtype
    known = replace(origin, dtype=kind.name if gray else "uint8", gray=gray, remarks=(*remarks, *troubles))
    return Volume(voxels[None].contiguous(), found, place, known)


def _shown(
    samples: NDArray[Any], window: tuple[float, float], blank: NDArray[np.bool_] | None, *, inverted: bool
) -> NDArray[np.float32]:
    low, high = window
    shown = np.asarray((samples.astype(np.float64) - low) / (high - low), dtype=np.float32).clip(0, 1)
    if inverted:
        shown = 1 - shown
    if blank is not None:
        shown[blank] = 0
    return shown


def _placed(affine: NDArray[np.float64] | None, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """An affine that has an inverse, and what was wrong if the given one has none."""
    place = np.eye(4) if affine is None else np.asarray(affine, dtype=np.float64)
    if in_space(place):
        return place, ()
    steps = np.linalg.norm(np.nan_to_num(place[:3, :3], nan=0.0, posinf=0.0, neginf=0.0), axis=0)
    steps[steps == 0] = 1.0
    said = " x ".join(f"{step:.4g}" for step in steps)
    remark = f"{name} does not say where in space it is in a way that can be; voxels of {said} mm are assumed."
    return np.diag([*steps, 1.0]), (remark,)


def in_space(affine: NDArray[np.float64]) -> bool:
    """Whether an affine is one: of finite numbers, and with an inverse."""
    return affine.shape == (4, 4) and bool(np.isfinite(affine).all()) and np.linalg.matrix_rank(affine[:3, :3]) == 3


def check_size(shape: tuple[int, ...], name: str) -> None:
    """Refuse what would be too much to read, before it is.

    Raises:
        VolumeError: if there are more than MAX_VOXELS.
    """
    if int(np.prod([int(length) for length in shape], dtype=object)) > MAX_VOXELS:
        raise VolumeError(f"{name} has {written(shape)} voxels, more than {MAX_VOXELS:,}; cut out a part of it.")


def written(shape: tuple[int, ...]) -> str:
    """A shape for a sentence."""
    return " x ".join(map(str, shape))


def _check(samples: NDArray[Any], name: str) -> None:
    if samples.ndim not in (3, 4) or (samples.ndim == 4 and samples.shape[3] != 3):
        raise VolumeError(
            f"{name} has the shape {written(samples.shape)}, but slices x rows x columns is needed, and perhaps three "
            "colors; rearrange it."
        )
    if 0 in samples.shape:
        raise VolumeError(f"{name} is empty ({written(samples.shape)}); give a volume that has voxels.")
    if min(samples.shape[:3]) < 2:
        raise VolumeError(
            f"{name} is {written(samples.shape[:3])}, a picture and no volume; give two slices, rows and columns or more."
        )
    if samples.dtype.kind not in "iuf":
        raise VolumeError(f"{name} holds {samples.dtype}, but intensities must be whole or real numbers; convert it.")
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        count = int((~np.isfinite(samples)).sum())
        raise VolumeError(f"{name} has {count} voxels that are NaN or infinite; replace them by a number, such as 0.")


def _window(
    samples: NDArray[Any], name: str, blank: NDArray[np.bool_] | None = None, bits: int = 8
) -> tuple[float, float]:
    if samples.dtype == np.uint8:
        return 0.0, float(2**bits - 1)
    seen = samples.reshape(-1) if blank is None or blank.all() else samples[~blank]
    step = max(1, seen.size // _SAMPLE)
    low, high = (float(value) for value in np.percentile(seen[::step].astype(np.float64), _PERCENTILES))
    if low == high:
        low, high = float(seen.min()), float(seen.max())
    if low == high:
        raise VolumeError(f"{name} has the value {low:g} everywhere; there is nothing in it to see.")
    if not np.isfinite(high - low):
        raise VolumeError(f"{name} has values from {low:g} to {high:g}, more than can be computed with; rescale it.")
    return low, high


def _range(samples: NDArray[Any], name: str) -> tuple[float, float]:
    if samples.dtype in (np.uint8, np.uint16):
        return 0.0, float(np.iinfo(samples.dtype).max)
    if samples.dtype.kind == "f" and samples.min() >= 0 and samples.max() <= 1:
        return 0.0, 1.0
    raise VolumeError(
        f"{name} has colors of {samples.dtype}, but 8 or 16 bits or values in [0, 1] are needed; convert it."
    )
