"""DICOM files, of slices and frames and waveforms, with elements that standards do not foresee."""

import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
from bytewise import odd_integer
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.uid import DeflatedExplicitVRLittleEndian as Deflated
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

_STRINGS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "nan",
        "inf",
        "1e400",
        "1,5",
        "0\\0",
        "1\\1",
        "1\\2\\3",
        "abc",
        "0.5\\",
        "\\",
        "2147483648",
        "1" * 400,
    ),
    *(
        "1\\0\\0\\0\\1\\0",
        "0\\0\\0\\0\\0\\0",
        "1\\0\\0",
        "nan\\0\\0\\0\\1\\0",
        "1e300\\1e300",
        "Doe^Jo",
        "\u00e4\u00f6",
        "-0.0",
    ),
)
_KEYWORDS = (
    *(
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "SamplesPerPixel",
        "PlanarConfiguration",
    ),
    *("PhotometricInterpretation", "NumberOfFrames", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"),
    *(
        "SliceThickness",
        "SpacingBetweenSlices",
        "InstanceNumber",
        "RescaleSlope",
        "RescaleIntercept",
        "WindowCenter",
        "WindowWidth",
    ),
    *(
        "SpecificCharacterSet",
        "PatientName",
        "PatientID",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "SeriesInstanceUID",
    ),
    *(
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "StudyDate",
        "StudyTime",
        "Modality",
        "SOPClassUID",
        "ModalityLUTSequence",
    ),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "ImageComments", "LossyImageCompression"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "PatientBirthDate", "AccessionNumber"),
    *(
        "SmallestImagePixelValue",
        "VOILUTSequence",
        "PresentationLUTShape",
        "RealWorldValueMappingSequence",
        "ImageType",
    ),
)
WAVES = (
    *(
        "WaveformSequence",
        "ChannelDefinitionSequence",
        "SamplingFrequency",
        "NumberOfWaveformChannels",
        "NumberOfWaveformSamples",
    ),
    *("WaveformBitsAllocated", "WaveformSampleInterpretation", "WaveformData", "ChannelSensitivity", "ChannelBaseline"),
    *("ChannelSensitivityUnitsSequence", "ChannelSourceSequence", "ChannelSensitivityCorrectionFactor", "ChannelLabel"),
)


def _base(pixels: Any, frames: int = 1) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.file_meta = pydicom.dataset.FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID, item.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    item.PatientName, item.PatientID, item.Modality = "Doe^Jo", "17", "CT"
    item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = "1.2.3", "1.2.4", "1.2.5"
    item.Rows, item.Columns = pixels.shape[-2:] if pixels.shape[-1] != 3 else pixels.shape[-3:-1]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    if pixels.shape[-1] == 3:
        item.SamplesPerPixel, item.PhotometricInterpretation, item.PlanarConfiguration = 3, "RGB", 0
    item.BitsAllocated = item.BitsStored = pixels.dtype.itemsize * 8
    item.HighBit, item.PixelRepresentation = item.BitsStored - 1, int(pixels.dtype.kind == "i")
    item.ImageOrientationPatient, item.PixelSpacing, item.SliceThickness = [1, 0, 0, 0, 1, 0], [1.25, 1.5], 2
    item.ImagePositionPatient, item.InstanceNumber = [-40, -50, 7], 1
    if frames > 1:
        item.NumberOfFrames = frames
    item.PixelData = pixels.tobytes()
    return item


def _pixels(*shape: int, dtype: Any = np.int16) -> Any:
    return np.random.default_rng(0).integers(0, 120, shape).astype(dtype)


def slices() -> list[pydicom.Dataset]:
    """A series of four slices."""
    items = []
    for index, picture in enumerate(_pixels(4, 6, 7)):
        item = _base(picture)
        item.InstanceNumber, item.ImagePositionPatient = index + 1, [-40, -50, 7 + 2.0 * index]
        item.SOPInstanceUID, item.RescaleSlope, item.RescaleIntercept = f"1.2.3.{index}", 2, -24
        items.append(item)
    return items


def frames() -> list[pydicom.Dataset]:
    """Several frames in one file."""
    return [_base(_pixels(4, 6, 7, dtype=np.uint8), 4)]


def colors() -> list[pydicom.Dataset]:
    """Several frames of colors."""
    return [_base(_pixels(3, 6, 7, 3, dtype=np.uint8), 3)]


def enhanced() -> list[pydicom.Dataset]:
    """Frames that say each where they are."""
    item = _base(_pixels(4, 6, 7), 4)
    item.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    for name in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness"):
        del item[name]
    measures, orientation, shared = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.25, 1.5], 2
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    item.SharedFunctionalGroupsSequence = [shared]
    own = []
    for index in range(4):
        position, transform, frame = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        position.ImagePositionPatient = [-40, -50, 2.0 * index]
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = 2, -24, "US"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [transform]
        own.append(frame)
    item.PerFrameFunctionalGroupsSequence = own
    return [item]


def palette() -> list[pydicom.Dataset]:
    """Frames of indices into a table of colors."""
    item = _base(_pixels(3, 6, 7, dtype=np.uint8), 3)
    item.PhotometricInterpretation = "PALETTE COLOR"
    for color in ("Red", "Green", "Blue"):
        setattr(item, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(item, f"{color}PaletteColorLookupTableData", bytes(range(256)))
    return [item]


def packed() -> list[pydicom.Dataset]:
    """Slices that are compressed."""
    items = slices()
    for item in items:
        item.compress(RLELossless)
    return items


def waveform() -> list[pydicom.Dataset]:
    """Two leads of a heartbeat."""
    item, group = pydicom.Dataset(), pydicom.Dataset()
    item.file_meta = pydicom.dataset.FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID, item.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.3.9"
    values = (np.sin(np.arange(300) / 7)[:, None] * [900, 500]).astype("<i2")
    group.WaveformOriginality, group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = "ORIGINAL", 2, 300
    group.SamplingFrequency, group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 250, 16, "SS"
    channels = []
    for label in ("Lead I (Einthoven)", "Lead II"):
        channel, source, unit = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "1", "MDC", label
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = 1.25, 1, 0
        channel.ChannelSampleSkew, channel.WaveformBitsStored = 0, 16
        channels.append(channel)
    group.ChannelDefinitionSequence, group.WaveformData = channels, values.tobytes()
    item.WaveformSequence = [group]
    return [item]


KINDS: dict[str, Callable[[], list[pydicom.Dataset]]] = {
    "slices": slices, "frames": frames, "colors": colors, "enhanced": enhanced, "palette": palette, "packed": packed
}  # fmt: skip


def _odd_content(rng: random.Random, kind: str) -> bytes:  # noqa: PLR0911 - one for each kind
    """The bytes of an element of a kind, that programs stumble over."""
    if kind in ("US", "SS"):
        return struct.pack("<H", odd_integer(rng, 16)) * rng.choice((0, 1, 1, 2))
    if kind in ("UL", "SL"):
        return struct.pack("<I", odd_integer(rng)) * rng.choice((0, 1, 1, 2))
    if kind in ("FD", "FL"):
        letter = "d" if kind == "FD" else "f"
        return struct.pack(f"<{letter}", rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))) * rng.choice(
            (0, 1, 3)
        )
    if kind in ("OB", "OW", "SQ", "UN"):
        return rng.randbytes(rng.choice((0, 2, 30)))
    if kind == "PN":
        return rng.choice(
            (b"\x1b$B;3ED", "M\u00fcller^J\u00f6rg".encode("latin-1"), b"^^^^^^^^", b"=\xff=", b"a" * 300)
        )
    if kind == "CS":
        return rng.choice(
            (
                b"ISO_IR 100",
                b"ISO_IR 192",
                b"\\ISO 2022 IR 87",
                b"nonsense",
                b"",
                b"MONOCHROME1",
                b"YBR_FULL",
                b"RGB",
                b"OTHER",
            )
        )
    return rng.choice(_STRINGS).encode("latin-1")


Odds = dict[int, dict[int, tuple[str, bytes] | None]]
"""By the identity of a data set and by tag: kind and content instead of what is there, or None for nothing."""


def odd_elements(
    rng: random.Random, item: pydicom.Dataset, story: list[str], keywords: tuple[str, ...] = _KEYWORDS
) -> Odds:
    """Elements to be changed, dropped or added in a data set, or in one within it."""
    places = [item, *(part for element in item.iterall() if element.VR == "SQ" for part in element.value)]
    odds: Odds = {}
    for _ in range(rng.randint(1, 3)):
        place = item if rng.random() < 0.4 else rng.choice(places)
        present = [keyword_for_tag(tag) for tag in sorted(place.keys())]
        keyword = rng.choice((*keywords, *present, *present, *present) if place is item else present or keywords)
        number = tag_for_keyword(keyword)
        assert number is not None
        kind = dictionary_VR(number).split(" ")[0]
        if rng.random() < 0.15:
            kind = rng.choice(("US", "DS", "LO", "UN", "FD", "OB", "IS", "UI"))
        change = None if rng.random() < 0.3 else (kind, _odd_content(rng, kind))
        odds.setdefault(id(place), {})[number] = change
        story.append(f"{keyword} is missing" if change is None else f"{keyword} is {kind} {change[1][:40]!r}")
    return odds


def nested(depth: int) -> bytes:
    """An element of sequences within sequences, of undefined length."""
    start = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return start * depth


def _element(number: int, kind: str, content: bytes, *, implicit: bool) -> bytes:
    content += b" " * (len(content) % 2)
    head = struct.pack("<HH", number >> 16, number & 0xFFFF)
    if implicit:
        return head + struct.pack("<I", len(content)) + content
    if kind in ("OB", "OW", "SQ", "UN", "UT"):
        return head + kind.encode() + b"\0\0" + struct.pack("<I", len(content)) + content
    return head + kind.encode() + struct.pack("<H", len(content) % 65536) + content


def body(place: pydicom.Dataset, odds: Odds, *, implicit: bool = False) -> bytes:
    """The elements of a data set, with the odd ones in their places."""
    own, parts = odds.get(id(place), {}), []
    for number in sorted({*map(int, place.keys()), *own}):
        change = own.get(number, ("", b""))
        if change is None:
            continue
        if change[0]:
            parts.append(_element(number, *change, implicit=implicit))
        elif place[number].VR == "SQ":
            inner = [body(part, odds, implicit=implicit) for part in place[number].value]
            items = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in inner)
            parts.append(_element(number, "SQ", items, implicit=implicit))
        else:
            stream = DicomBytesIO()
            stream.is_little_endian, stream.is_implicit_VR = True, implicit
            write_data_element(stream, place[number])
            parts.append(stream.getvalue())
    return b"".join(parts)


def stored(rng: random.Random, item: pydicom.Dataset, odds: Odds, story: list[str]) -> bytes:
    """The file of a data set in one of the ways to write it, or with something odd around it."""
    packed_up = item.file_meta.TransferSyntaxUID == RLELossless
    way = "plain" if packed_up else rng.choice((*("plain",) * 8, "implicit", "headless", "deflated", "bomb", "nested"))
    correct_ambiguous_vr(item, is_little_endian=True)
    syntax = {"implicit": ImplicitVRLittleEndian, "deflated": Deflated, "bomb": Deflated}.get(
        way, item.file_meta.TransferSyntaxUID
    )
    head = _element(0x00020010, "UI", str(syntax).encode() + b"\0" * (len(syntax) % 2), implicit=False)
    data = body(item, odds, implicit=way == "implicit")
    if way in ("deflated", "bomb"):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = packer.compress(data + (_BOMB if way == "bomb" else b"")) + packer.flush()
    if way == "nested":
        data += nested(rng.choice((3, 50, 3000)))
    story.append(way)
    whole = (
        bytes(128) + b"DICM" + _element(0x00020000, "UL", struct.pack("<I", len(head)), implicit=False) + head + data
    )
    return whole[132:] if way == "headless" else whole


_BOMB = struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 30 * 2**20) + bytes(30 * 2**20)
