"""NIfTI files: in, and out with their notes in a header extension."""

import gzip
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import VolumeError
from impasto.libraries import library, unheard
from impasto.volumes import notes
from impasto.volumes.notes import Notes
from impasto.volumes.volume import Volume, check_size, written

LOGGER = "nibabel.global"

_COMMENT = 6  # NIfTI's code of an extension that is a text
_MILLIMETERS = 2  # NIfTI's code of the unit
_HEADERS = {348: "Nifti1", 540: "Nifti2"}  # by their length, which is what they begin with
_MAX_EXTENSIONS = 2**26  # bytes between the header and the voxels
_UNITS = {"mm": 1.0, "micron": 1e-3, "meter": 1e3}


def read(data: bytes, path: Path) -> tuple[NDArray[Any], NDArray[np.float64], Any]:
    """Samples (D, H, W) or (D, H, W, 3), the affine and the header of a file.

    Raises:
        VolumeError: if it holds no single volume.
        Exception: of nibabel's, if it is damaged.
    """
    with _plain(data) as stream:
        kind, header = _header(stream, path)
        shape = _extent(header.get_data_shape(), path)
        wanted = _offset(header) + math.prod(shape) * header.get_data_dtype().itemsize
        stream.seek(0)
        content = stream.read(wanted + 1)[:wanted]  # one more, so that a whole archive's checksum is compared
    image = kind.from_bytes(content)
    stored = np.asarray(image.dataobj).reshape(shape)
    if stored.dtype.fields:
        stored = np.stack([stored[name] for name in "RGB"], axis=-1)
    samples = np.ascontiguousarray(np.swapaxes(stored, 0, 2))
    scale = _UNITS.get(image.header.get_xyzt_units()[0], 1.0)
    return samples, np.diag([scale] * 3 + [1.0]) @ image.affine, image.header


def read_notes(data: bytes, path: Path) -> Notes | None:
    """What a file that impasto wrote says of itself, or None."""
    with _plain(data) as stream, unheard(LOGGER):
        kind, header = _header(stream, path)
        stream.seek(0)
        head = stream.read(_offset(header))
        found = kind.header_class.from_fileobj(io.BytesIO(head)).extensions
    texts = [item.get_content() for item in found if item.get_code() == _COMMENT]
    plainly = [text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in texts]
    return next((known for text in plainly if (known := notes.from_text(text.rstrip("\0 ")))), None)


def _plain(data: bytes) -> io.BytesIO | gzip.GzipFile:
    """The bytes of a file, inflated as they are asked for: a small archive may hold more than any memory."""
    return gzip.GzipFile(fileobj=io.BytesIO(data)) if data[:2] == b"\x1f\x8b" else io.BytesIO(data)


def _header(stream: io.BytesIO | gzip.GzipFile, path: Path) -> tuple[Any, Any]:
    """Nibabel's class of images and the header, without extensions."""
    nibabel = library("nibabel", f"Reading {path}")
    head = stream.read(max(_HEADERS))
    length = next((length for length in _HEADERS if length in (_whole(head, "little"), _whole(head, "big"))), 348)
    kind = getattr(nibabel, f"{_HEADERS[length]}Image")
    return kind, kind.header_class(head[:length])


def _whole(head: bytes, order: Any) -> int:
    return int.from_bytes(head[:4], order)


def _offset(header: Any) -> int:
    """Where the voxels begin."""
    offset = float(header["vox_offset"])
    if not header.sizeof_hdr <= offset <= _MAX_EXTENSIONS:
        raise ValueError(f"the voxels begin at byte {offset:g}")
    return int(offset)


def _extent(shape: tuple[int, ...], path: Path) -> tuple[int, ...]:
    """Columns, rows and slices."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        several = "a series of volumes; save one of them" if len(shape) > 3 else "no volume; a third axis is needed"
        raise VolumeError(f"{path} has {len(shape)} axes ({written(shape)}) and so is {several}.")
    if min(shape) < 0:
        raise ValueError(f"the shape is {written(shape)}")
    check_size(shape, str(path))
    return shape


def encode(path: Path, volume: Volume, known: Notes, kind: np.dtype[Any]) -> bytes:
    """The content of a file, with intensities of the type ``kind``; the name says whether it is compressed."""
    nibabel = library("nibabel", f"Writing {path}")
    samples = volume.samples(kind)
    if not volume.gray:
        samples = samples.view([(name, "u1") for name in "RGB"])[..., 0]
    large = max(volume.shape) > np.iinfo(np.int16).max
    with unheard(LOGGER):
        image = (nibabel.Nifti2Image if large else nibabel.Nifti1Image)(np.swapaxes(samples, 0, 2), volume.affine)
        header = volume.origin.header if volume.origin.format == "NIfTI" else None
        codes = (1, 1) if header is None else (int(header["qform_code"]) or 1, int(header["sform_code"]) or 1)
        image.set_qform(volume.affine, codes[0])
        image.set_sform(volume.affine, codes[1])
        image.header.set_xyzt_units(_MILLIMETERS)
        image.header["descrip"] = b"impasto: style transfer, not for diagnosis"
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(_COMMENT, notes.to_text(known).encode()))
        data = bytes(image.to_bytes())
    return gzip.compress(data, mtime=0) if path.name.lower().endswith(".gz") else data
