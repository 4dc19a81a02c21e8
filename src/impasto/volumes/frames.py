"""The slices in a DICOM data set, in the units that it says."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import MissingExtraError, VolumeError
from impasto.libraries import library, reason
from impasto.volumes.places import SlicePlace, finite_numbers, number, place_of

PICTURES = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""The attributes that hold a picture."""

_MACROS = (  # groups of attributes that an enhanced data set has for each frame, or once for all
    *("PixelMeasuresSequence", "PlanePositionSequence", "PlaneOrientationSequence"),
    "PixelValueTransformationSequence",
)
_PER_FRAME = (
    *("PixelSpacing", "SpacingBetweenSlices", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient"),
    *("RescaleSlope", "RescaleIntercept", "DoseGridScaling", "InstanceNumber", "NominalScannedPixelSpacing"),
)


@dataclass(frozen=True)
class Frames:
    """The slices of a data set.

    Args:
        values: (frames, H, W) or (frames, H, W, 3).
        blank: (frames, H, W), which of the values are padding around the picture, or None if none are.
        places: where each frame is.
        inverted: whether the lowest value is white.
        bits: how many of 8 bits are used.
    """

    values: NDArray[Any]
    blank: NDArray[np.bool_] | None
    places: list[SlicePlace]
    inverted: bool
    bits: int


def frames_of(item: Any, file: Path) -> Frames:
    """The slices of a data set.

    Raises:
        VolumeError: if its picture cannot be read.
        MissingExtraError: if it is compressed in a way that needs another package.
    """
    stored, kind = _decoded(item, file)
    count = int(number(item, "NumberOfFrames", 1)) or 1
    stored = stored if count > 1 else stored[None]
    facts = [_facts(item, index) for index in range(count)]
    places = _places(item, facts)
    if kind == "PALETTE COLOR":
        colors = library("pydicom.pixels", f"Reading {file}").apply_color_lut(stored, item)
        return Frames(colors[..., :3], None, places, inverted=False, bits=8)
    if int(number(item, "SamplesPerPixel", 1)) != 1:
        if kind != "RGB":
            raise VolumeError(f"{file} has colors stored as {kind}, which is not understood; convert it to RGB.")
        return Frames(stored, None, places, inverted=False, bits=8)
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise VolumeError(f"{file} has grays stored as {kind}, which is not understood; convert it to MONOCHROME2.")
    inverted = kind == "MONOCHROME1" or str(item.get("PresentationLUTShape", "")) == "INVERSE"
    bits = min(8, int(number(item, "BitsStored", 8)) or 8)
    return Frames(_in_units(stored, item, facts), _padding(stored, item), places, inverted, bits)


def _decoded(item: Any, file: Path) -> tuple[NDArray[Any], str]:
    """Stored values, colors turned into RGB, and how they are to be understood."""
    syntax = item.file_meta.TransferSyntaxUID
    decoder = library("pydicom.pixels", f"Reading {file}").get_decoder(syntax)
    if syntax.is_compressed and not decoder.is_available:
        raise MissingExtraError(_needs_decoder(file, syntax))
    try:
        stored, facts = decoder.as_array(item)
    except Exception as error:
        if "does not support" in str(error):
            raise MissingExtraError(_needs_decoder(file, syntax)) from error
        raise VolumeError(
            f"The picture in {file} cannot be read ({reason(error)}); it is damaged or of an unusual kind."
        ) from error
    return stored, str(facts["photometric_interpretation"])


def _needs_decoder(file: Path, syntax: Any) -> str:
    return (
        f"The picture in {file} is compressed ({syntax.name}) in a way that needs another package; install the decoders with "
        "`pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg`, or export it uncompressed."
    )


def _facts(item: Any, index: int) -> Any:
    """What is said of a frame: for all of the file, for all frames, and for this one, the last word counting."""
    found = library("pydicom", "Reading DICOM").Dataset()
    shared, own = (
        _entry(item, f"{name}FunctionalGroupsSequence", at) for name, at in (("Shared", 0), ("PerFrame", index))
    )
    for place in (item, *(_entry(groups, macro, 0) for groups in (shared, own) for macro in _MACROS)):
        for name in _PER_FRAME:
            if place is not None and name in place:
                found[name] = place[name]
    return found


def _entry(item: Any, name: str, index: int) -> Any:
    """An item of a sequence, or None."""
    several = None if item is None else item.get(name)
    return several[index] if several and len(several) > index else None


def _places(item: Any, facts: Sequence[Any]) -> list[SlicePlace]:
    """Where each frame is: as its own group says, or along the normal from where the file is."""
    places = [replace(place_of(fact, index), number=index) for index, fact in enumerate(facts)]
    if len(facts) == 1:
        return [replace(places[0], number=int(number(item, "InstanceNumber", 0)))]
    if item.get("PerFrameFunctionalGroupsSequence"):
        return places
    first = places[0]
    if first.position is None or first.directions is None:
        return places
    offsets = finite_numbers(item, "GridFrameOffsetVector", len(facts))  # of doses
    if offsets is None and first.step is None:
        return [replace(place, position=None) for place in places]
    along = [index * (first.step or 0.0) for index in range(len(facts))] if offsets is None else list(offsets)
    if offsets is not None and offsets[0]:  # not how far from the first frame, but where along the axis of the patient
        along = [offset - offsets[0] for offset in offsets]
    normal = np.cross(first.directions[:3], first.directions[3:])
    start = np.array(first.position)
    return [
        replace(place, position=tuple(float(value) for value in start + distance * normal))
        for place, distance in zip(places, along, strict=True)
    ]


def _in_units(stored: NDArray[Any], item: Any, facts: Sequence[Any]) -> NDArray[Any]:
    """Values of frames as a table, or a slope and an intercept, make them from what is stored."""
    pixels = library("pydicom.pixels", "Reading DICOM")
    if item.get("ModalityLUTSequence"):
        return np.asarray(pixels.apply_modality_lut(stored.astype(np.int64), _with_table(item)))
    lines = [_line(fact) for fact in facts]
    if len({*lines}) == 1:
        return _on_line(pixels, stored, lines[0])
    several = [_on_line(pixels, frame, line) for frame, line in zip(stored, lines, strict=True)]
    return joined_slices(several, stack=True)


def _line(facts: Any) -> tuple[float, float]:
    """Slope and intercept; an attribute that is empty says nothing."""
    slope = number(facts, "RescaleSlope", number(facts, "DoseGridScaling", 1.0))
    return slope, number(facts, "RescaleIntercept", 0.0)


def _on_line(pixels: Any, stored: NDArray[Any], line: tuple[float, float]) -> NDArray[Any]:
    slope, intercept = line
    if line == (1.0, 0.0):
        return stored
    said = library("pydicom", "Reading DICOM").Dataset()
    said.RescaleSlope, said.RescaleIntercept = slope, intercept
    values = pixels.apply_rescale(stored, said)
    if slope.is_integer() and intercept.is_integer():
        for kind in (np.int16, np.int32):
            if values.min() >= np.iinfo(kind).min and values.max() <= np.iinfo(kind).max:
                return np.asarray(values, dtype=kind)
    return np.asarray(values, dtype=np.float32)


def joined_slices(several: Sequence[NDArray[Any]], *, stack: bool = False) -> NDArray[Any]:
    """Slices one after the other, of a type that holds all of them, and not of more than float32."""
    found = np.stack(several) if stack else np.concatenate(several)
    mixed = found.dtype == np.float64 and any(one.dtype != np.float64 for one in several)
    return found.astype(np.float32) if mixed else found


def _with_table(item: Any) -> Any:
    """The table of a data set, of whole bytes: as many bits as it says are often 10 or 12."""
    said = library("pydicom", "Reading DICOM").Dataset()
    said.file_meta = item.file_meta
    table = copy.deepcopy(item.ModalityLUTSequence[0])
    entries, first, bits = table.LUTDescriptor
    table.LUTDescriptor = [entries, first, 8 if bits <= 8 else 16]
    said.ModalityLUTSequence = [table]
    return said


def _padding(stored: NDArray[Any], item: Any) -> NDArray[np.bool_] | None:
    """Which stored values are there only because a picture is a rectangle."""
    first = finite_numbers(item, "PixelPaddingValue", 1)
    if first is None or stored.dtype.kind not in "iu":
        return None
    last = finite_numbers(item, "PixelPaddingRangeLimit", 1) or first
    low, high = sorted(int(np.array(int(value)).astype(stored.dtype)) for value in (first[0], last[0]))
    blank = (stored >= low) & (stored <= high)
    return blank if blank.any() else None
