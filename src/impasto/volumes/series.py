"""A volume as the files of a new DICOM series, beside what its study says of itself."""

import copy
import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.libraries import library, unheard
from impasto.volumes.dicom import KEPT
from impasto.volumes.notes import Notes, to_text
from impasto.volumes.places import LPS
from impasto.volumes.volume import CAUTION, Volume

_COMMENTS = 10_240  # characters that ImageComments holds
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_LEVELS = 2**16 - 1
_UTF_8 = "ISO_IR 192"
_OWN = ("StudyInstanceUID", "FrameOfReferenceUID")


def series(volume: Volume, notes: Notes, *, tags: bool = True) -> Iterator[tuple[str, bytes]]:
    """The files of a series that holds a volume, by name.

    Grays are stored in 16 bits: whole intensities as they are, with the intercept that leads back to them, where the
    window has room for that, and others over the window, with a slope, too; colors in 8. The series is a new one, in the
    same study and frame of reference as the one that the volume was read from, if it was. With ``tags`` it names the
    patient and the study of the original, and the recipe.
    """
    pydicom = library("pydicom", "Writing DICOM")
    number = pydicom.uid.generate_uid()
    own = {name: pydicom.uid.generate_uid() for name in _OWN}
    text = to_text(notes)
    comments = text if len(text) <= _COMMENTS else to_text(Notes(None, notes.window, notes.affine))
    line = line_of(volume)
    for index in range(volume.shape[0]):
        with unheard():
            item = _slice(pydicom, volume, index, line)
            for name, value in {"PatientName": "", "PatientID": "", "Modality": "OT", **own}.items():
                setattr(item, name, value)
            if tags and volume.origin.format == "DICOM":
                _take_over(item, volume.origin.header)
            item.SeriesInstanceUID = number
            item.SeriesNumber, item.InstanceNumber = 9000, index + 1
            item.SeriesDescription = "Style transfer, not for diagnosis"
            item.DerivationDescription = CAUTION
            item.ImageComments = comments if tags else CAUTION
            stream = io.BytesIO()
            pydicom.dcmwrite(stream, item, enforce_file_format=True)
        yield f"slice{index + 1:05d}.dcm", stream.getvalue()


def _take_over(item: Any, template: Any) -> None:
    """Copy what the original says of its patient and study, in its own letters: the values with their kinds."""
    for name in KEPT:
        if name in template and not (name in _OWN and not template[name].value):
            item[name] = copy.deepcopy(template[name])
    letters = template.get("SpecificCharacterSet")
    if letters:
        item.SpecificCharacterSet = letters
    elif not all(str(element.value).isascii() for element in item):
        item.SpecificCharacterSet = _UTF_8


def line_of(volume: Volume) -> tuple[float, float]:
    """Slope and intercept from what is stored to intensities."""
    low, high = volume.window
    if np.dtype(volume.origin.dtype).kind in "iu" and math.ceil(high) - math.floor(low) <= _LEVELS:
        return 1.0, float(math.floor(low))
    return (high - low) / _LEVELS, low


def _slice(pydicom: Any, volume: Volume, index: int, line: tuple[float, float]) -> Any:
    """The data set of one slice: its geometry and its picture."""
    item = pydicom.Dataset()
    item.file_meta = pydicom.dataset.FileMetaDataset()
    item.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    item.SOPClassUID, item.SOPInstanceUID = _SECONDARY_CAPTURE, pydicom.uid.generate_uid()
    item.ConversionType, item.ImageType = "WSD", ["DERIVED", "SECONDARY"]
    affine = LPS @ volume.affine
    slices, rows, columns = volume.spacing
    item.PixelSpacing, item.SliceThickness, item.SpacingBetweenSlices = _short([rows, columns]), *_short([slices] * 2)
    item.ImageOrientationPatient = _short([*(affine[:3, 0] / columns), *(affine[:3, 1] / rows)])
    item.ImagePositionPatient = _short(affine[:3, 3] + index * affine[:3, 2])
    _, item.Rows, item.Columns = volume.shape
    bits = 16 if volume.gray else 8
    gray = "MONOCHROME1" if volume.origin.inverted else "MONOCHROME2"
    item.SamplesPerPixel, item.PhotometricInterpretation = (1, gray) if volume.gray else (3, "RGB")
    item.BitsAllocated = item.BitsStored = bits
    item.HighBit, item.PixelRepresentation = bits - 1, 0
    part = replace(volume, voxels=volume.voxels[:, :, index : index + 1]).samples()[0]
    if volume.gray:
        low, high = volume.window
        item.RescaleSlope, item.RescaleIntercept = _short(line)
        item.RescaleType = _units(volume)
        item.WindowCenter, item.WindowWidth = _short([(low + high) / 2, high - low])
        item.PixelData = _stored(part, line).tobytes()
    else:
        item.PlanarConfiguration = 0
        item.PixelData = part.tobytes()
    return item


def _stored(intensities: NDArray[Any], line: tuple[float, float]) -> NDArray[np.uint16]:
    slope, intercept = line
    return ((intensities.astype(np.float64) - intercept) / slope).round().clip(0, _LEVELS).astype("<u2")


def _units(volume: Volume) -> str:
    """What intensities are in: as the original says, and in computed tomography in Hounsfield's units unless it does."""
    header = volume.origin.header if volume.origin.format == "DICOM" else {}
    return str(header.get("RescaleType") or ("HU" if header.get("Modality") == "CT" else "US"))


def _short(values: Any) -> list[str]:
    """Numbers as decimal strings of at most 16 characters."""
    return [
        next(text for digits in range(15, 3, -1) if len(text := f"{float(value):.{digits}g}") <= 16) for value in values
    ]
