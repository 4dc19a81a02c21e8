"""From a volume to a file, or to a folder of DICOM files, at once or not at all."""

import gzip
import io
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import VolumeError
from impasto.files import not_written
from impasto.volumes import notes
from impasto.volumes.dicom import series
from impasto.volumes.libraries import library
from impasto.volumes.notes import Notes
from impasto.volumes.reading import SUFFIXES, format_of
from impasto.volumes.volume import CAUTION, VOLUMES, Volume

_LIBRARIES = {"NIfTI": "nibabel", "TIFF": "tifffile", "DICOM": "pydicom"}
_COMMENT = 6  # NIfTI's code of an extension that is a text
_MILLIMETERS = 2  # NIfTI's code of the unit


def write(path: str | Path, volume: Volume, *, recipe: dict[str, Any] | None = None, metadata: bool = True) -> None:
    """Write a volume; the format follows the name.

    Whatever the options, the file says that it is not for diagnosis.

    Args:
        path: a name that ends in .nii, .nii.gz, .tif, .tiff or .npy, or a folder that is to hold a DICOM series and does
            not exist yet or is empty.
        volume: what is written: intensities of the type that they were read in, over the volume's window, or colors of 8
            bits.
        recipe: how it was made.
        metadata: whether the file says that, and of a DICOM series who the patient is.

    Raises:
        VolumeError: if the name will not do or the file cannot be written; an existing file stays as it was.
        MissingExtraError: if the library for the format is not installed.
    """
    where = Path(path)
    kind = check_writable(where)
    known = notes.of(volume, recipe) if metadata else Notes(None, volume.window, volume.affine.tolist())
    if kind == "DICOM":
        _write_series(where, volume, known, tags=metadata)
        return
    if kind == "NPY":  # the notes first: the array is what is waited for
        VOLUMES.replace(notes.beside_name(where), notes.to_text(known).encode())
    VOLUMES.replace(where, {"NIfTI": _nifti, "TIFF": _tiff, "NPY": _npy}[kind](where, volume, known))


def check_writable(path: str | Path) -> str:
    """Raise now what :func:`write` would raise after a long run.

    Returns:
        The format.

    Raises:
        VolumeError: if the name or its folder will not do.
        MissingExtraError: if the library for the format is not installed.
    """
    where = Path(path)
    kind = format_of(where)
    if kind is None or where.suffix.lower() == ".dcm":
        endings = ", ".join(suffix for suffix in SUFFIXES if suffix != ".dcm")
        raise VolumeError(
            f"{where} is no name of a volume; end it with one of {endings}, or give a folder for a DICOM series."
        )
    if kind in _LIBRARIES:
        library(_LIBRARIES[kind], f"Writing {where}")
    if kind != "DICOM":
        VOLUMES.replace(where, None)
        return kind
    if where.exists() and not (where.is_dir() and not any(where.iterdir())):
        raise VolumeError(f"{where} is there already and not an empty folder; name a new one for the DICOM series.")
    VOLUMES.replace(where.with_name(f"{where.name}.tmp"), None)
    return kind


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
        files = sorted(where.glob("*.dcm")) if where.is_dir() else [where]
        pydicom = library("pydicom", f"Reading {where}")
        item = pydicom.dcmread(files[0], stop_before_pixels=True) if files else {}
        return notes.from_text(str(item.get("ImageComments", "")))
    data = VOLUMES.contents(where)
    try:
        if kind == "NIfTI":
            return _nifti_notes(data, where)
        with library("tifffile", f"Reading {where}").TiffFile(io.BytesIO(data)) as file:
            return _tiff_notes(file)
    except Exception as error:
        raise VolumeError(f"{where} cannot be read as {kind}; it is damaged or no volume.") from error


def _nifti(path: Path, volume: Volume, known: Notes) -> bytes:
    nibabel = library("nibabel", f"Writing {path}")
    samples = volume.samples()
    if not volume.gray:
        samples = samples.view([(name, "u1") for name in "RGB"])[..., 0]
    large = max(volume.shape) > np.iinfo(np.int16).max
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


def _nifti_notes(data: bytes, path: Path) -> Notes | None:
    nibabel = library("nibabel", f"Reading {path}")
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    kind = nibabel.Nifti2Image if plain[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") else nibabel.Nifti1Image
    texts = [item.get_content() for item in kind.from_bytes(plain).header.extensions if item.get_code() == _COMMENT]
    plainly = [text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in texts]
    return next((found for text in plainly if (found := notes.from_text(text.rstrip("\0 ")))), None)


def _tiff(path: Path, volume: Volume, known: Notes) -> bytes:
    tifffile = library("tifffile", f"Writing {path}")
    sizes = dict(zip("ZYX", volume.spacing, strict=True))
    facts: dict[str, Any] = {
        "axes": "ZYX" if volume.gray else "ZYXS",
        "Description": notes.to_text(known),
        "Name": CAUTION,
    }
    for axis, size in sizes.items():
        facts |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "mm"}
    stream = io.BytesIO()
    kind, samples = "minisblack" if volume.gray else "rgb", volume.samples()
    whole = samples.dtype.kind != "f"  # differences of neighbors are smaller numbers
    tifffile.imwrite(stream, samples, ome=True, photometric=kind, metadata=facts, compression="zlib", predictor=whole)
    return stream.getvalue()


def _tiff_notes(file: Any) -> Notes | None:
    tifffile = library("tifffile", "Reading a TIFF")
    if not file.ome_metadata:
        return None
    found = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    return notes.from_text(str((found[0] if isinstance(found, list) else found).get("Description")))


def _npy(_path: Path, volume: Volume, _known: Notes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, volume.samples(), allow_pickle=False)
    return stream.getvalue()


def _write_series(path: Path, volume: Volume, known: Notes, *, tags: bool) -> None:
    """Fill a folder of another name and rename it, so that there is a whole series or none."""
    path = path.absolute()
    temporary = path.with_name(f".impasto-{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir()
        for name, data in series(volume, known, tags=tags):
            (temporary / name).write_bytes(data)
        if path.is_dir():
            path.rmdir()
        temporary.replace(path)
    except OSError as error:
        raise VolumeError(not_written(path, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
