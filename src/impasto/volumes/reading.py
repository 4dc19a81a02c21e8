"""From whatever the user gives to a :class:`Volume`."""

import gzip
import hashlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import ImpastoError, VolumeError
from impasto.volumes import notes
from impasto.volumes.dicom import read_series
from impasto.volumes.libraries import library
from impasto.volumes.notes import Notes
from impasto.volumes.volume import VOLUMES, Origin, Volume, assembled, check_size, written

SUFFIXES = {
    ".nii": "NIfTI",
    ".nii.gz": "NIfTI",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".npy": "NPY",
    ".dcm": "DICOM",
}
"""The format that each ending of a file's name means; a folder is a DICOM series."""

_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1e3, "µm": 1e-3, "um": 1e-3, "micron": 1e-3, "nm": 1e-6}


def format_of(path: Path) -> str | None:
    """The format that a path means, DICOM for a folder and for a name without an ending, or None."""
    if path.is_dir() or not path.suffix:
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
        return kind is not None and (bool(path.suffix) or path.is_dir())
    data = VOLUMES.contents(path)
    try:
        with library("tifffile", f"Reading {path}").TiffFile(io.BytesIO(data)) as file:
            return any(len(series.pages) > 1 or len(series.shape) > 3 for series in file.series)
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
    if window is not None and not window[0] < window[1]:
        raise VolumeError(f"The window {window[0]:g},{window[1]:g} is not one; give a lower and a higher intensity.")
    if isinstance(source, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(source).data).hexdigest()
        return assembled(source, Origin("array", None, digest, "array"), window=window)
    if not isinstance(source, (str, Path)):
        raise VolumeError(f"An object of type {type(source).__name__} was given as a volume; give a path or an array.")
    path = Path(source)
    kind = format_of(path)
    if path.is_fifo():
        raise VolumeError(f"{path} is a pipe, and no name tells its format; keep the volume in a file and name that.")
    if kind is None:
        raise VolumeError(f"{path} is no kind of volume that is known; give a folder, or one of {', '.join(SUFFIXES)}.")
    if kind == "DICOM":
        return read_series(path, window)
    data = VOLUMES.contents(path)
    try:
        samples, affine, header = {"NIfTI": _nifti, "TIFF": _tiff, "NPY": _npy}[kind](data, path)
    except ImpastoError:
        raise
    except Exception as error:  # damaged files fail in many ways inside the readers
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise VolumeError(f"{path} cannot be read as {kind} ({reason}); it is damaged or cut short.") from error
    origin = Origin(path.name, path, hashlib.sha256(data).hexdigest(), kind, header=header)
    return assembled(samples, origin, affine, window)


Read = tuple[NDArray[Any], NDArray[np.float64] | None, Any]
"""Samples, affine and header."""


def _nifti(data: bytes, path: Path) -> Read:
    nibabel = library("nibabel", f"Reading {path}")
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    kind = nibabel.Nifti2Image if plain[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") else nibabel.Nifti1Image
    image = kind.from_bytes(plain)
    shape = tuple(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        several = "a series of volumes; save one of them" if len(shape) > 3 else "no volume; a third axis is needed"
        raise VolumeError(f"{path} has {len(shape)} axes ({written(shape)}) and so is {several}.")
    check_size(shape, str(path))
    stored = np.asarray(image.dataobj).reshape(shape)
    if stored.dtype.fields:
        stored = np.stack([stored[name] for name in "RGB"], axis=-1)
    samples = np.ascontiguousarray(np.swapaxes(stored, 0, 2))
    scale = {"mm": 1.0, "micron": 1e-3, "meter": 1e3}.get(image.header.get_xyzt_units()[0], 1.0)
    return samples, np.diag([scale] * 3 + [1.0]) @ image.affine, image.header


def _tiff(data: bytes, path: Path) -> Read:
    tifffile = library("tifffile", f"Reading {path}")
    with _heard(tifffile.logger()), tifffile.TiffFile(io.BytesIO(data)) as file:
        if len(file.series) != 1:
            raise VolumeError(f"{path} holds {len(file.series)} stacks of different shapes; save one of them.")
        series = file.series[0]
        check_size(tuple(series.shape), str(path))
        if sum(map(sum, (page.databytecounts for page in series.pages if page is not None))) > len(data):
            raise VolumeError(f"{path} announces more than there is in it; it is damaged or cut short.")
        samples = _arranged(series.asarray(), series.axes, path)
        known = notes.from_text(_description(tifffile, file))
        return samples, _affine_of(known, lambda: _spacing(tifffile, file)), None


@contextmanager
def _heard(logger: logging.Logger) -> Iterator[None]:
    """Raise what a library would only write into its log, such as that pages are missing."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if found:
        raise ValueError(found[0])


def _arranged(stored: NDArray[Any], axes: str, path: Path) -> NDArray[Any]:
    """The samples of a TIFF as (D, H, W) or (D, H, W, 3)."""
    keep = [place for place, length in enumerate(stored.shape) if length > 1]
    named = "".join(axes[place] for place in keep)
    stored = stored.reshape([stored.shape[place] for place in keep])
    if len(named) == 4 and ("S" in named or ("C" in named and stored.shape[named.index("C")] == 3)):
        color = named.index("S" if "S" in named else "C")
        stored, named = np.moveaxis(stored, color, -1)[..., :3], named.replace(named[color], "")
    if len(named) != 3:
        raise VolumeError(
            f"{path} has {len(named)} axes ({named or 'none'}, {written(stored.shape)}), but slices, rows and columns are "
            "needed; save a stack that has these."
        )
    return stored


def _description(tifffile: Any, file: Any) -> str | None:
    """What the file says of itself: the description of an OME-TIFF's picture, or of the first page."""
    if file.ome_metadata:
        found = _ome(tifffile, file).get("Description")
        return None if found is None else str(found)
    return str(file.pages[0].description)


def _ome(tifffile: Any, file: Any) -> dict[str, Any]:
    found = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    return dict(found[0] if isinstance(found, list) else found)


def _spacing(tifffile: Any, file: Any) -> tuple[float, float, float]:
    """Millimeters between slices, rows and columns; 1 where nothing is said."""
    if file.ome_metadata:
        pixels = _ome(tifffile, file)["Pixels"]
        pairs = [(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "ZYX"]
        depth, height, width = (1.0 if size is None else float(size) * _MM.get(unit, 1.0) for size, unit in pairs)
        return depth, height, width
    facts = file.imagej_metadata or {}
    unit = _MM.get(str(facts.get("unit", "")).replace("\\u00B5", "µ"), 1.0)
    rows, columns = (_resolution(file.pages[0], name) for name in ("YResolution", "XResolution"))
    return float(facts.get("spacing", 1.0)) * unit, rows * unit, columns * unit


def _resolution(page: Any, name: str) -> float:
    """Units per pixel from ImageJ's way of storing pixels per unit."""
    tag = page.tags.get(name)
    if tag is None or not page.is_imagej or not tag.value[0]:
        return 1.0
    return float(tag.value[1]) / float(tag.value[0])


def _npy(data: bytes, path: Path) -> Read:
    with io.BytesIO(data) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        check_size(read_header(stream)[0], str(path))
    samples = np.load(io.BytesIO(data), allow_pickle=False)
    return samples, _affine_of(notes.beside(path), lambda: (1.0, 1.0, 1.0)), None


def _affine_of(known: Notes | None, spacing: Any) -> NDArray[np.float64]:
    if known is not None and known.affine is not None:
        return np.array(known.affine, dtype=np.float64)
    return np.diag([*reversed(spacing()), 1.0])
