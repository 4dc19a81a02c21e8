"""A DICOM series, one file per slice or one file of several frames, as a volume."""

import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import VolumeError
from impasto.files import is_folder, is_there
from impasto.libraries import library, reason, understood, unheard
from impasto.volumes.frames import PICTURES, Frames, frames_of, joined_slices
from impasto.volumes.places import arranged, number
from impasto.volumes.volume import MAX_VOXELS, VOLUMES, Origin, Volume, assembled, check_size

KEPT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime"),
    *("StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "Modality"),
)
"""The attributes that a new series takes over from the one that it was made from."""

MAX_INFLATED = 4 * MAX_VOXELS
"""The most bytes that a compressed data set is inflated to."""

_HEADER = ("SpecificCharacterSet", "SeriesInstanceUID", "RescaleType", "ImageComments", *KEPT)
_ENDINGS = ("", ".dcm", ".dicom", ".ima")
_UNUSUAL = "it is damaged or of an unusual kind"
_SHOWN = 3  # names of files in a sentence


@dataclass(frozen=True)
class _File:
    """A file of a series, or of something else: then without a data set."""

    path: Path
    digest: bytes = b""
    item: Any = None


def read_series(path: Path, window: tuple[float, float] | None) -> Volume:
    """The volume of a folder of DICOM files, or of one file with several frames.

    Slices are ordered by where they are, not by their names. Files that are not DICOM, or have no picture, are passed
    over, which is said.

    Raises:
        VolumeError: if there is no one series of slices of one size and one distance.
        MissingExtraError: if pydicom, or what it needs to decode a picture, is not installed.
    """
    library("pydicom", f"Reading {path}")
    if not is_there(path):
        raise VolumeError(f"{str(path)[:200]} does not exist; check the path.")
    with unheard():
        found, remarks = _found(path)
        with understood(VolumeError, f"{path} cannot be understood as a DICOM series", _UNUSUAL):
            return _volume(path, found, remarks, window)


def read_header(path: Path) -> Any:
    """The data set of a file without its picture.

    Raises:
        VolumeError: if it cannot be read.
    """
    with unheard():
        return _data_set(VOLUMES.contents(path), path, alone=True)


def _volume(path: Path, found: Sequence[_File], remarks: Sequence[str], window: tuple[float, float] | None) -> Volume:
    items = [file.item for file in found]
    _check_alike(path, items)
    slices = []
    for file in found:
        with understood(VolumeError, f"The picture in {file.path} cannot be understood", _UNUSUAL):
            slices.append(frames_of(file.item, file.path))
    places = [place for part in slices for place in part.places]
    if any(len(part.places) > 1 for part in slices) and len(slices) > 1:
        raise VolumeError(f"{path} holds several files with several frames each; give one of them.")
    if len({part.inverted for part in slices}) > 1 or len({part.values.ndim for part in slices}) > 1:
        raise VolumeError(
            f"The slices in {path} are of several kinds (grays, inverted grays, colors); give those of one."
        )
    order, affine, said = arranged(places, path.name)
    samples = joined_slices([part.values for part in slices])[order]
    digest = hashlib.sha256(b"".join(file.digest for file in found)).hexdigest()
    origin = Origin(
        *(path.name, path, digest, "DICOM"),
        header=_header(items[order[0] if len(items) > 1 else 0]),
        inverted=slices[0].inverted,
        remarks=(*remarks, *said),
    )
    return assembled(samples, origin, affine, window, blank=_blank(slices, order), bits=slices[0].bits)


def _blank(slices: Sequence[Frames], order: Sequence[int]) -> NDArray[np.bool_] | None:
    """Which voxels are padding, or None if none are."""
    if all(part.blank is None for part in slices):
        return None
    several = [np.zeros(part.values.shape[:3], bool) if part.blank is None else part.blank for part in slices]
    return np.asarray(np.concatenate(several)[order])


def _header(item: Any) -> Any:
    """What is remembered of a data set: not its picture."""
    kept = library("pydicom", "Reading DICOM").Dataset()
    for name in _HEADER:
        if name in item:
            kept[name] = item[name]
    return kept


def _found(path: Path) -> tuple[list[_File], list[str]]:
    """The files that hold pictures, and sentences on the others."""
    if not is_folder(path):
        data = VOLUMES.contents(path)
        return [_File(path, hashlib.sha256(data).digest(), _data_set(data, path, alone=True))], []
    files = list(_in_folder(path))
    slices = [file for file in files if file.item is not None]
    if not slices:
        raise VolumeError(f"The folder {path} holds no DICOM slices; give one that does.")
    others = [file.path for file in files if file.item is None]
    endings = {*_ENDINGS, *(file.path.suffix.lower() for file in slices)}
    for file in others:
        if file.suffix.lower() in endings and not file.stat().st_size:
            raise VolumeError(
                f"{file} is empty, as a copy that was broken off leaves it, and the volume may lack a slice; copy it again, or "
                "remove it."
            )
    if not others:
        return slices, []
    shown = ", ".join(file.name for file in others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
    return slices, [f"Not all of {path.name} are DICOM pictures; passed over: {shown} ({len(others)} in all)."]


def _in_folder(path: Path) -> Iterator[_File]:
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        if file.name.startswith(".") or file.name.upper() in ("DICOMDIR", "THUMBS.DB"):
            continue
        data = VOLUMES.contents(file)
        item = _data_set(data, file, alone=False) if data else None
        yield _File(file, b"" if item is None else hashlib.sha256(data).digest(), item)


def _data_set(data: bytes, file: Path, *, alone: bool) -> Any:
    """The data set of a file, or None if it has no picture.

    What lacks the preamble that files begin with, as bare data sets do, is tried, too. What is DICOM but damaged is
    refused, and so is what has no picture if it is ``alone``: all that was given, and not one of many in a folder.
    """
    pydicom = library("pydicom", f"Reading {file}")
    whole = data[128:132] == b"DICM"
    named = file.suffix.lower() in _ENDINGS[1:]
    try:
        _check_inflated(pydicom, data)
        item = pydicom.dcmread(io.BytesIO(data), force=not whole)
        found = any(name in item for name in PICTURES)
        if not whole and "SOPClassUID" not in item and "Rows" not in item:
            raise ValueError("it has neither the preamble nor the attributes of one")  # noqa: TRY301
    except Exception as error:
        if not alone and not whole and not named:
            return None
        raise VolumeError(f"{file} cannot be read as DICOM ({reason(error)}); it is damaged or cut short.") from error
    if not found and alone:
        raise VolumeError(f"{file} is DICOM without a picture; give a series of slices.")
    if found and "TransferSyntaxUID" not in item.file_meta:
        item.file_meta.TransferSyntaxUID = _syntax(pydicom, item)
    return item if found else None


def _syntax(pydicom: Any, item: Any) -> Any:
    """How a data set that does not say so is written."""
    implicit, little = item.original_encoding
    if implicit:
        return pydicom.uid.ImplicitVRLittleEndian
    return pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian


def _check_inflated(pydicom: Any, data: bytes) -> None:
    """Refuse a compressed data set that holds more than any volume does, before it is inflated."""
    if data[128:132] != b"DICM":
        return
    stream = io.BytesIO(data)
    stream.seek(132)
    meta = pydicom.filereader.read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    if meta.get("TransferSyntaxUID") != pydicom.uid.DeflatedExplicitVRLittleEndian:
        return
    inflate, total, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, data[stream.tell() :]
    while rest and not inflate.eof:
        total += len(inflate.decompress(rest, 2**20))
        rest = inflate.unconsumed_tail
        if total > MAX_INFLATED:
            raise ValueError(f"it holds more than {MAX_INFLATED:,} bytes when inflated")


def _check_alike(path: Path, items: Sequence[Any]) -> None:
    """Refuse what is no one series of slices of one size, or too much."""
    series = {str(item.get("SeriesInstanceUID", "")) for item in items}
    if len(series) > 1:
        raise VolumeError(f"{path} holds slices of {len(series)} series; put one of them into a folder of its own.")
    sizes = sorted({(int(number(item, "Columns", 0)), int(number(item, "Rows", 0))) for item in items})
    if min(min(size) for size in sizes) < 1:
        raise VolumeError(
            f"{path} does not say how many rows and columns its pictures have; it is damaged or incomplete."
        )
    if len(sizes) > 1:
        several = ", ".join(f"{width} x {height}" for width, height in sizes)
        raise VolumeError(f"The slices in {path} have different sizes ({several}); a volume needs slices of one size.")
    frames = sum(max(1, int(number(item, "NumberOfFrames", 1))) for item in items)
    check_size((frames, sizes[0][1], sizes[0][0]), str(path))
