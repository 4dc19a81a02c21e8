"""From whatever the user gives to a :class:`Volume`."""

import hashlib
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import ImpastoError, VolumeError
from impasto.files import is_folder, is_there
from impasto.libraries import library, understood, unheard
from impasto.volumes import nifti, notes, tiff
from impasto.volumes.dicom import read_series
from impasto.volumes.notes import Notes
from impasto.volumes.volume import VOLUMES, Origin, Volume, assembled, check_size

SUFFIXES = {".nii": "NIfTI", ".nii.gz": "NIfTI", ".tif": "TIFF", ".tiff": "TIFF", ".npy": "NPY", ".dcm": "DICOM"}
"""The format that each ending of a file's name means; a folder is a DICOM series."""


def format_of(path: Path) -> str | None:
    """The format that a path means, DICOM for a folder and for a name without an ending, or None."""
    if is_folder(path) or not path.suffix:
        return "DICOM"
    name = path.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def holds_volume(source: Any) -> bool:
    """Whether a source of pixels is a volume, and not a picture: by its name, or by how many axes or pages it has.

    Raises:
        VolumeError: if that is to be seen in a file that cannot be read.
        MissingExtraError: if the library for its format is not installed.
    """
    if isinstance(source, np.ndarray):
        return source.ndim == 4
    if not isinstance(source, (str, Path)):
        return False
    path = Path(source)
    kind = format_of(path)
    if kind != "TIFF":
        return kind is not None and (bool(path.suffix) or is_folder(path))
    data = VOLUMES.contents(path)
    try:
        with unheard(tiff.LOGGER), library("tifffile", f"Reading {path}").TiffFile(tiff.opened(data)) as file:
            return any(len(pages) > 1 or len(series.shape) > 3 for series, pages in tiff.full_pages(file))
    except ImpastoError:
        raise
    except Exception:  # noqa: BLE001 - not a TIFF that this library knows; the picture room says what is wrong with it
        return False


def read(source: Any, *, window: tuple[float, float] | None = None) -> Volume:
    """The volume in a NIfTI file, a folder of DICOM files, a TIFF stack, an NPY file, or an array.

    Args:
        source: a path, or an array (D, H, W) of intensities or (D, H, W, 3) of colors.
        window: the intensities that become 0 and 1; see :func:`impasto.volumes.volume.assembled`.

    Raises:
        VolumeError: if there is no such file, or no single volume of finite intensities in it.
        MissingExtraError: if the library for its format is not installed.
    """
    if window is not None and not -math.inf < window[0] < window[1] < math.inf:
        raise VolumeError(f"The window {window[0]:g},{window[1]:g} is not one; give a lower and a higher intensity.")
    if isinstance(source, np.ndarray):
        digest = hashlib.sha256(source.tobytes()).hexdigest()
        return assembled(source, Origin("array", None, digest, "array"), window=window)
    if not isinstance(source, (str, Path)):
        raise VolumeError(f"An object of type {type(source).__name__} was given as a volume; give a path or an array.")
    path = Path(source)
    kind = format_of(path)
    if is_there(path) and path.is_fifo():
        raise VolumeError(f"{path} is a pipe, and no name tells its format; keep the volume in a file and name that.")
    if kind is None:
        raise VolumeError(f"{path} is no kind of volume that is known; give a folder, or one of {', '.join(SUFFIXES)}.")
    if kind == "DICOM":
        return read_series(path, window)
    data = VOLUMES.contents(path)
    origin = Origin(path.name, path, hashlib.sha256(data).hexdigest(), kind)
    said = f"{path} cannot be read as {kind}"
    with understood(VolumeError, said, "it is damaged or cut short"), unheard(nifti.LOGGER):
        if kind == "NIfTI":
            samples, affine, header = nifti.read(data, path)
            return assembled(samples, replace(origin, header=header), affine, window)
        if kind == "TIFF":
            stack = tiff.read(data, path)
            known = replace(origin, inverted=stack.inverted, remarks=stack.remarks)
            return assembled(stack.samples, known, _affine_of(stack.known, stack.spacing), window, bits=stack.bits)
        return assembled(_npy(data, path), origin, _affine_of(notes.beside(path), (1.0, 1.0, 1.0)), window)


def _npy(data: bytes, path: Path) -> NDArray[Any]:
    with io.BytesIO(data) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read_header(stream)
    check_size(shape, str(path))
    if math.prod(shape) * kind.itemsize > len(data):  # before room is made for what is not there
        raise VolumeError(
            f"{path} cannot be read as NPY (it announces more than there is); it is damaged or cut short."
        )
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))


def _affine_of(known: Notes | None, spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    if known is not None and known.affine is not None:
        return np.array(known.affine, dtype=np.float64)
    return np.diag([*reversed(spacing), 1.0])
