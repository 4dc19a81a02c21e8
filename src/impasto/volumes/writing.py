"""From a volume to a file, or to a folder of DICOM files, at once or not at all."""

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from impasto.errors import VolumeError
from impasto.files import is_folder, not_written, try_place, whole_folder
from impasto.libraries import library, understood
from impasto.volumes import nifti, notes, tiff
from impasto.volumes.dicom import read_header
from impasto.volumes.notes import Notes
from impasto.volumes.reading import SUFFIXES, format_of
from impasto.volumes.series import line_of, series
from impasto.volumes.volume import VOLUMES, Volume, in_space

_LIBRARIES = {"NIfTI": "nibabel", "TIFF": "tifffile", "DICOM": "pydicom"}
_HELD = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
"""Numpy's names of the types that readers of NIfTI and TIFF know; NPY knows all."""
_MAX_SIDE = 2**16 - 1  # of a DICOM slice


def write(path: str | Path, volume: Volume, *, recipe: dict[str, Any] | None = None, metadata: bool = True) -> None:
    """Write a volume; the format follows the name.

    Whatever the options, the file says that it is not for diagnosis.

    Args:
        path: a name that ends in .nii, .nii.gz, .tif, .tiff or .npy, or a folder that is to hold a DICOM series and does
            not exist yet or is empty.
        volume: what is written: intensities of the type that they were read in, or of the nearest that the format has
            (see :func:`conversion`), over the volume's window, or colors of 8 bits.
        recipe: how it was made.
        metadata: whether the file says that, and of a DICOM series who the patient is.

    Raises:
        VolumeError: if the name will not do or the file cannot be written; an existing file stays as it was.
        MissingExtraError: if the library for the format is not installed.
    """
    where = Path(path)
    kind = _format_for(where)
    _check_place(where, kind)
    _check_volume(where, kind, volume)
    known = notes.of(volume, recipe if metadata else None)
    if kind == "DICOM":
        _write_series(where, volume, known, tags=metadata)
        return
    data = _encoded(kind, where, volume, known)
    if kind == "NPY":  # the notes first: the array is what is waited for
        VOLUMES.replace(notes.beside_name(where), notes.to_text(known).encode())
    VOLUMES.replace(where, data)


def check_writable(path: str | Path, like: Volume | None = None, *, metadata: bool = True) -> None:
    """Raise now what :func:`write` would raise after a long run.

    ``like`` is a volume of the shape, type, place and origin of what will be written; its voxels do not matter. A tiny one
    of its kind is encoded.

    Raises:
        VolumeError: if the name, its folder or the volume will not do.
        MissingExtraError: if the library for the format is not installed.
    """
    where = Path(path)
    kind = _format_for(where)
    _check_place(where, kind)
    if like is None:
        return
    _check_volume(where, kind, like)
    tiny = replace(like, voxels=torch.zeros(1, 3, 2, 2, 2))
    known = notes.of(like, None)
    said = f"A volume like {like.origin.name} cannot be written to {where}"
    with understood(VolumeError, said, "choose another format"):  # whatever a library has against it, it is said now
        _encoded(kind, where, tiny, known) if kind != "DICOM" else [*series(tiny, known, tags=metadata)]


def conversion(path: str | Path, volume: Volume) -> str | None:
    """A sentence on how intensities change because a format cannot hold their type, or None if they do not.

    Raises:
        VolumeError: if the name will not do.
    """
    where = Path(path)
    kind, own = _format_for(where), volume.origin.dtype
    if not volume.gray:
        return None
    if kind == "DICOM":
        slope, _ = line_of(volume)
        if np.dtype(own).kind in "iu" and slope == 1:
            return None
        return f"DICOM holds 16 bits: intensities of {own} are rounded to steps of {slope:.3g} in {where}."
    stored = _type_for(kind, volume).name
    return None if stored == own else f"{kind} files do not hold {own}: intensities are written as {stored} to {where}."


def _type_for(kind: str, volume: Volume) -> np.dtype[Any]:
    """The type in which a format holds the intensities of a volume: their own, or the nearest that holds the window."""
    own = np.dtype(volume.origin.dtype)
    if kind == "NPY" or own.name in _HELD:
        return own
    if own.kind == "f":
        return np.dtype(np.float32)
    low, high = volume.window
    return np.dtype(np.int32 if low >= -(2**31) and high < 2**31 else np.float64)


def _encoded(kind: str, path: Path, volume: Volume, known: Notes) -> bytes:
    """The content of a file."""
    stored = _type_for(kind, volume)
    if kind == "NPY":
        stream = io.BytesIO()
        np.save(stream, volume.samples(stored), allow_pickle=False)
        return stream.getvalue()
    return {"NIfTI": nifti.encode, "TIFF": tiff.encode}[kind](path, volume, known, stored)


def _format_for(path: Path) -> str:
    """The format that a name means for writing."""
    kind = format_of(path)
    if kind is None or path.suffix.lower() == ".dcm":
        endings = ", ".join(suffix for suffix in SUFFIXES if suffix != ".dcm")
        raise VolumeError(
            f"{path} is no name of a volume; end it with one of {endings}, or give a folder for a DICOM series."
        )
    return kind


def _check_place(path: Path, kind: str) -> None:
    """Refuse a place where nothing can be written."""
    if kind in _LIBRARIES:
        library(_LIBRARIES[kind], f"Writing {path}")
    if kind != "DICOM":
        VOLUMES.replace(path, None)
        if kind == "NPY":
            VOLUMES.replace(notes.beside_name(path), None)
        return
    try:
        target = Path(os.path.realpath(path))  # through a link to the folder it names
        if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
            raise VolumeError(f"{path} is there already and not an empty folder; name a new one for the DICOM series.")
        if target.is_mount():
            raise VolumeError(f"{path} is where a disk is mounted and cannot be replaced; name a new folder in it.")
        if not target.parent.is_dir():
            VOLUMES.replace(target, None)  # which says what is wrong with it
        try_place(target)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise VolumeError(not_written(path, error)) from error


def _check_volume(path: Path, kind: str, volume: Volume) -> None:
    """Refuse a volume that no file holds."""
    if not in_space(volume.affine):
        raise VolumeError(
            f"The volume for {path} has an affine that is not one ({np.array2string(volume.affine, precision=3)[:160]}); give "
            "one of finite numbers that has an inverse."
        )
    if not np.isfinite(volume.window).all() or volume.window[0] >= volume.window[1]:
        low, high = volume.window
        raise VolumeError(
            f"The volume for {path} has the window {low:g},{high:g}; give a lower and a higher intensity."
        )
    if kind == "DICOM" and max(volume.shape[1:]) > _MAX_SIDE:
        raise VolumeError(
            f"The slices for {path} are {volume.shape[2]} x {volume.shape[1]}, but DICOM holds at most {_MAX_SIDE} rows and "
            "columns; choose another format."
        )


def read_notes(path: str | Path) -> Notes | None:
    """What a volume that impasto wrote says of itself, or None.

    Raises:
        VolumeError: if the file cannot be read.
    """
    where = Path(path)
    kind = format_of(where)
    if kind == "NPY":
        return notes.beside(where)
    if kind == "DICOM":
        files = sorted(where.glob("*.dcm")) if is_folder(where) else [where]
        return notes.from_text(str(read_header(files[0]).get("ImageComments", ""))) if files else None
    data = VOLUMES.contents(where)
    with understood(VolumeError, f"{where} cannot be read as {kind}", "it is damaged or no volume"):
        return {"NIfTI": nifti.read_notes, "TIFF": tiff.read_notes}[kind or ""](data, where)


def _write_series(path: Path, volume: Volume, known: Notes, *, tags: bool) -> None:
    """Fill a folder of another name and rename it, so that there is a whole series or none."""
    try:
        with whole_folder(Path(os.path.realpath(path))) as folder:
            for name, data in series(volume, known, tags=tags):
                (folder / name).write_bytes(data)
    except OSError as error:
        raise VolumeError(not_written(path, error)) from error
