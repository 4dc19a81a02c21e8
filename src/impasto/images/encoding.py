"""From samples to a file's bytes: Pillow for 8 bits, libvips for 16 bits and for every TIFF."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, TiffTags

from impasto.errors import ImageError
from impasto.images import exif, xmp
from impasto.images.metadata import Stamp


@dataclass(frozen=True)
class Format:
    """What a file format can hold.

    Args:
        depths: Bits per sample.
        alpha: Whether it has an alpha channel.
        side: The most pixels along a side.
    """

    depths: tuple[int, ...]
    alpha: bool
    side: int


FORMATS = {
    "PNG": Format(depths=(8, 16), alpha=True, side=2**31 - 1),
    "JPEG": Format(depths=(8,), alpha=False, side=65_500),
    "WEBP": Format(depths=(8,), alpha=True, side=16_383),
    "TIFF": Format(depths=(8, 16), alpha=True, side=2**31 - 1),
    "AVIF": Format(depths=(8,), alpha=True, side=65_536),
}

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
"""The format written for each file name extension, in lower case."""


def encode(samples: NDArray[Any], format: str, quality: int, icc: bytes | None, stamp: Stamp) -> bytes:  # noqa: A002
    """The bytes of a file of ``format`` (a key of FORMATS) that holds ``samples`` (H, W, 3|4), uint8 or uint16.

    Raises:
        ImageError: If the format has no room for something of it.
    """
    encoders = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "TIFF": _tiff, "AVIF": _avif}
    try:
        return encoders[format](samples, quality, icc, stamp)
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError(
            f"The picture cannot be stored as {format} ({error}); write PNG, or leave the original's EXIF out."
        ) from error


def _pillow(samples: NDArray[Any], format: str, icc: bytes | None, **options: Any) -> bytes:  # noqa: A002
    stream = BytesIO()
    given = {key: value for key, value in {**options, "icc_profile": icc}.items() if value is not None}
    Image.fromarray(samples).save(stream, format, **given)
    return stream.getvalue()


def _jpeg(samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> bytes:
    # subsampling=0 keeps the color of every pixel (4:4:4): brush strokes differ in color more than photos do.
    options = {"quality": quality, "subsampling": 0, "exif": exif.stamped(stamp, comment=True), "dpi": stamp.dpi}
    data = _pillow(samples, "JPEG", icc, **options)
    after_jfif = 4 + int.from_bytes(data[4:6], "big")
    return data[:after_jfif] + xmp.jpeg_segments(stamp) + data[after_jfif:]


def _webp(samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> bytes:
    # Below 100 WebP halves the resolution of color, always. exact: keep the colors of transparent pixels, which read() extended with care.
    options = {"quality": quality, "lossless": quality == 100, "exact": True, "xmp": xmp.packet(stamp)}
    return _pillow(samples, "WEBP", icc, exif=exif.stamped(stamp, comment=True), **options)


def _avif(samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> bytes:
    options = {"quality": quality, "subsampling": "4:4:4", "xmp": xmp.packet(stamp)}
    return _pillow(samples, "AVIF", icc, exif=exif.stamped(stamp, comment=True), **options)


def _png(samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> bytes:  # noqa: ARG001
    if samples.dtype == np.uint8:
        bare = _pillow(samples, "PNG", None)
    else:
        bare = _vips(samples).write_to_buffer(".png", bitdepth=16, keep="none")
    # libvips writes a resolution nobody asked for: of its chunks take those that a PNG cannot do without.
    critical = [chunk for chunk in _chunks(bare) if bytes(chunk[4:5]).isupper()]
    ours = [_chunk(kind, data) for kind, data in _ancillary(icc, stamp)]
    return b"".join([b"\x89PNG\r\n\x1a\n", critical[0], *ours, *critical[1:]])


def _chunks(png: bytes) -> Iterator[memoryview]:
    view, start = memoryview(png), 8
    while start < len(png):
        end = start + 12 + int.from_bytes(view[start : start + 4], "big")
        yield view[start:end]
        start = end


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _ancillary(icc: bytes | None, stamp: Stamp) -> Iterator[tuple[bytes, bytes]]:
    if icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)
    if stamp.dpi:
        x, y = (round(dpi / 0.0254) for dpi in stamp.dpi)
        yield b"pHYs", struct.pack(">IIB", x, y, 1)  # 1: per meter
    if described := exif.stamped(stamp, comment=False):
        yield b"eXIf", described.removeprefix(b"Exif\0\0")
    for key, text in (("parameters", stamp.parameters), ("impasto", stamp.recipe)):
        if text:
            yield _text(key, text)


def _text(key: str, text: str) -> tuple[bytes, bytes]:
    try:
        return b"tEXt", key.encode() + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", key.encode() + b"\0\0\0\0\0" + text.encode("utf-8", "replace")


def _tiff(samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> bytes:  # noqa: ARG001
    bare = _vips(samples).write_to_buffer(".tif", compression="deflate", predictor="horizontal", keep="none")
    return _with_directory(bare, icc, stamp)


_RESOLUTION_TAGS = (282, 283, 296)
_STRIP_OFFSETS, _XMP_TAG, _ICC_TAG = 273, 700, 34675


def _with_directory(tiff: bytes, icc: bytes | None, stamp: Stamp) -> bytes:
    """``tiff`` under a new directory, as libvips writes no EXIF but a resolution nobody asked for."""
    old = TiffImagePlugin.ImageFileDirectory_v2(tiff[:8])
    directory_start = old.next
    with BytesIO(tiff) as stream:
        stream.seek(directory_start)
        old.load(stream)
    new = TiffImagePlugin.ImageFileDirectory_v2(tiff[:8])
    for tag, value in old.items():
        if tag not in _RESOLUTION_TAGS:
            new.tagtype[tag] = old.tagtype[tag]
            new[tag] = value
    # Pillow counts offsets from the end of the directory, libvips wrote its strips behind the header of 8 bytes.
    new.tagtype[_STRIP_OFFSETS] = TiffTags.LONG
    new[_STRIP_OFFSETS] = tuple(offset - 8 for offset in old[_STRIP_OFFSETS])
    _describe(new, icc, stamp)
    with BytesIO() as stream:
        new.save(stream)
        return stream.getvalue() + tiff[8:directory_start]


def _describe(directory: TiffImagePlugin.ImageFileDirectory_v2, icc: bytes | None, stamp: Stamp) -> None:
    described = exif.load_exif(exif.stamped(stamp, comment=True) or b"")
    for tag, value in described.items():
        directory[tag] = described.get_ifd(tag) if tag in exif.DIRECTORIES else value
    for tag, blob in ((_ICC_TAG, icc), (_XMP_TAG, xmp.packet(stamp))):
        if blob:
            directory.tagtype[tag] = TiffTags.BYTE if tag == _XMP_TAG else TiffTags.UNDEFINED
            directory[tag] = blob


def _vips(samples: NDArray[Any]) -> Any:
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    interpretation = "srgb" if samples.dtype == np.uint8 else "rgb16"
    return pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=interpretation)
