"""A DICOM series, one file per slice: in, and out beside what the study says of itself."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import VolumeError
from impasto.volumes.libraries import library
from impasto.volumes.notes import Notes, to_text
from impasto.volumes.volume import CAUTION, VOLUMES, Origin, Volume, assembled, check_size

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # DICOM's axes point left and back where NIfTI's point right and front
_UNEVEN = 0.01  # of the distance between slices
_KEPT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime"),
    *("StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "Modality"),
)
_COMMENTS = 10_240  # characters that ImageComments holds
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def read_series(path: Path, window: tuple[float, float] | None) -> Volume:
    """The volume of a folder of DICOM files, or of one file with several frames.

    Slices are ordered by where they are, not by their names. Files that are not DICOM, or have no picture, are passed
    over.

    Raises:
        VolumeError: if there is no one series of slices of one size and one distance.
        MissingExtraError: if pydicom is not installed.
    """
    pydicom = library("pydicom", f"Reading {path}")
    if not path.exists():
        raise VolumeError(f"{path} does not exist; check the path.")
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    found = []
    for file in files:
        data = VOLUMES.contents(file)
        item = _data_set(pydicom, data, file, alone=not path.is_dir())
        if item is not None:
            digest.update(hashlib.sha256(data).digest())
            found.append((file, item))
    if not found:
        raise VolumeError(f"The folder {path} holds no DICOM slices; give one that does.")
    _check_alike(path, [item for _, item in found])
    check_size((len(found), found[0][1].Rows, found[0][1].Columns), str(path))
    samples, affine = _stacked(path, found)
    origin = Origin(path.name, path, digest.hexdigest(), "DICOM", header=found[0][1])
    return assembled(samples, origin, affine, window)


def _data_set(pydicom: Any, data: bytes, file: Path, *, alone: bool) -> Any:
    """The data set of a file, or None if it has no picture."""
    try:
        item = pydicom.dcmread(io.BytesIO(data))
        found = "PixelData" in item
    except Exception as error:
        if not alone and data[128:132] != b"DICM":
            return None
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise VolumeError(f"{file} cannot be read as DICOM ({reason}); it is damaged or cut short.") from error
    if not found and alone:
        raise VolumeError(f"{file} is DICOM without a picture; give a series of slices.")
    return item if found else None


def _check_alike(path: Path, items: Sequence[Any]) -> None:
    series = {str(item.get("SeriesInstanceUID", "")) for item in items}
    if len(series) > 1:
        raise VolumeError(f"{path} holds slices of {len(series)} series; put one of them into a folder of its own.")
    sizes = sorted({(int(item.Columns), int(item.Rows)) for item in items})
    if len(sizes) > 1:
        several = ", ".join(f"{width} x {height}" for width, height in sizes)
        raise VolumeError(f"The slices in {path} have different sizes ({several}); a volume needs slices of one size.")


def _stacked(path: Path, found: Sequence[tuple[Path, Any]]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Samples (D, H, W) or (D, H, W, 3), and the affine."""
    if len(found) == 1:
        file, item = found[0]
        frames = _intensities(file, item)
        return frames, _affine(item, (0.0, 0.0, float(item.get("SpacingBetweenSlices", item.get("SliceThickness", 1)))))
    if any(int(item.get("NumberOfFrames", 1) or 1) > 1 for _, item in found):
        raise VolumeError(f"{path} holds several files with several frames each; give one of them.")
    ordered, step = _ordered(path, found)
    return np.concatenate([_intensities(file, item) for file, item in ordered]), _affine(ordered[0][1], step)


def _ordered(
    path: Path, found: Sequence[tuple[Path, Any]]
) -> tuple[list[tuple[Path, Any]], tuple[float, float, float]]:
    """Slices in order along their normal, and the step from one to the next."""
    if any("ImagePositionPatient" not in item or "ImageOrientationPatient" not in item for _, item in found):
        by_number = sorted(found, key=lambda pair: int(pair[1].get("InstanceNumber", 0) or 0))
        return by_number, (0.0, 0.0, float(found[0][1].get("SliceThickness", 1) or 1))
    row, column = np.array(found[0][1].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(row, column)
    places = [np.array(item.ImagePositionPatient, dtype=float) for _, item in found]
    order = np.argsort([place @ normal for place in places], kind="stable")
    along = np.array([places[index] @ normal for index in order])
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    if usual <= 0 or np.abs(gaps - usual).max() > _UNEVEN * usual:
        raise VolumeError(
            f"The slices in {path} are {gaps.min():.4g} to {gaps.max():.4g} mm apart; a volume needs one slice per place "
            "and one distance, so add what is missing and remove what is twice."
        )
    step = (places[order[-1]] - places[order[0]]) / (len(order) - 1)
    return [found[index] for index in order], (float(step[0]), float(step[1]), float(step[2]))


def _affine(item: Any, step: tuple[float, float, float]) -> NDArray[np.float64]:
    """The affine of a volume that begins with a slice; a step along z alone is along the slice's normal."""
    rows, columns = (float(value) for value in item.get("PixelSpacing", (1, 1)))
    row, column = np.array(item.get("ImageOrientationPatient", (1, 0, 0, 0, 1, 0)), dtype=float).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * columns, column * rows
    affine[:3, 2] = np.cross(row, column) * step[2] if step[:2] == (0.0, 0.0) else step
    affine[:3, 3] = np.array(item.get("ImagePositionPatient", (0, 0, 0)), dtype=float)
    return _LPS @ affine


def _intensities(file: Path, item: Any) -> NDArray[Any]:
    """The frames of a data set, (frames, H, W) or (frames, H, W, 3), in the units that it says."""
    try:
        stored = item.pixel_array
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise VolumeError(
            f"The picture in {file} cannot be read ({reason}); it is damaged or of an unusual kind."
        ) from error
    kind = str(item.get("PhotometricInterpretation", "MONOCHROME2"))
    if int(item.get("SamplesPerPixel", 1)) == 3:
        if kind not in ("RGB", "YBR_FULL", "YBR_FULL_422"):
            raise VolumeError(f"{file} has colors stored as {kind}, which is not understood; convert it to RGB.")
        colors = library("pydicom.pixels", f"Reading {file}").convert_color_space(stored, kind, "RGB")
        return np.asarray(colors if colors.ndim == 4 else colors[None])
    frames = stored if stored.ndim == 3 else stored[None]
    slope, intercept = float(item.get("RescaleSlope", 1) or 1), float(item.get("RescaleIntercept", 0) or 0)
    if slope == 1 and intercept == 0:
        return np.asarray(frames)
    values = frames.astype(np.float64) * slope + intercept
    whole = slope == 1 and intercept.is_integer() and values.min() >= -(2**15) and values.max() < 2**15
    return np.asarray(values, dtype=np.int16 if whole else np.float32)


def series(volume: Volume, notes: Notes, *, tags: bool = True) -> Iterator[tuple[str, bytes]]:
    """The files of a series that holds a volume, by name.

    Grays are stored in 16 bits over the window, with the slope and intercept that lead back to intensities; colors in 8.
    The series is a new one, in the same study and frame of reference as the one that the volume was read from, if it was.

    Args:
        volume: what is stored.
        notes: what is noted of it.
        tags: whether the patient and the study of the original, and the recipe, are named.
    """
    pydicom = library("pydicom", "Writing DICOM")
    number = pydicom.uid.generate_uid()
    known = {"StudyInstanceUID": pydicom.uid.generate_uid(), "FrameOfReferenceUID": pydicom.uid.generate_uid()}
    template = volume.origin.header if tags and volume.origin.format == "DICOM" else {}
    known |= {name: template.get(name) for name in _KEPT if template.get(name) is not None}
    text = to_text(notes)
    comments = text if len(text) <= _COMMENTS else to_text(Notes(None, notes.window, notes.affine))
    for index in range(volume.shape[0]):
        item = _slice(pydicom, volume, index)
        for name, value in {"PatientName": "", "PatientID": "", "Modality": "OT", **known}.items():
            setattr(item, name, value)
        item.SeriesInstanceUID = number
        item.SeriesNumber, item.InstanceNumber = 9000, index + 1
        item.SeriesDescription = "Style transfer, not for diagnosis"
        item.DerivationDescription = CAUTION
        item.ImageComments = comments if tags else CAUTION
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, item, enforce_file_format=True)
        yield f"slice{index + 1:05d}.dcm", stream.getvalue()


def _slice(pydicom: Any, volume: Volume, index: int) -> Any:
    """The data set of one slice: its geometry and its picture."""
    item = pydicom.Dataset()
    item.file_meta = pydicom.dataset.FileMetaDataset()
    item.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    item.SOPClassUID, item.SOPInstanceUID = _SECONDARY_CAPTURE, pydicom.uid.generate_uid()
    item.ConversionType, item.ImageType = "WSD", ["DERIVED", "SECONDARY"]
    affine = _LPS @ volume.affine
    slices, rows, columns = volume.spacing
    item.PixelSpacing, item.SliceThickness, item.SpacingBetweenSlices = _short([rows, columns]), *_short([slices] * 2)
    item.ImageOrientationPatient = _short([*(affine[:3, 0] / columns), *(affine[:3, 1] / rows)])
    item.ImagePositionPatient = _short(affine[:3, 3] + index * affine[:3, 2])
    _, item.Rows, item.Columns = volume.shape
    part = volume.voxels[0, :, index].clamp(0, 1)
    bits = 16 if volume.gray else 8
    item.SamplesPerPixel, item.PhotometricInterpretation = (1, "MONOCHROME2") if volume.gray else (3, "RGB")
    item.BitsAllocated = item.BitsStored = bits
    item.HighBit, item.PixelRepresentation = bits - 1, 0
    if volume.gray:
        low, high = volume.window
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = *_short([(high - low) / 65535, low]), "US"
        item.WindowCenter, item.WindowWidth = _short([(low + high) / 2, high - low])
        item.PixelData = (part.double().mean(0) * 65535).round().numpy().astype("<u2").tobytes()
    else:
        item.PlanarConfiguration = 0
        item.PixelData = (part * 255).round().permute(1, 2, 0).numpy().astype("u1").tobytes()
    return item


def _short(values: Any) -> list[str]:
    """Numbers as decimal strings of at most 16 characters."""
    return [
        next(text for digits in range(15, 3, -1) if len(text := f"{float(value):.{digits}g}") <= 16) for value in values
    ]
