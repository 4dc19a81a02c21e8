"""From samples to a file's bytes: Pillow for 8 bits, libvips for 16 bits and for every TIFF."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import ImageError
from impasto.images import directories, exif, iptc, png, xmp
from impasto.images.fitting import Blocks


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


def encode(samples: NDArray[Any], format: str, quality: int, icc: bytes | None, blocks: Blocks) -> bytes:  # noqa: A002
    """The bytes of a file of ``format`` (a key of FORMATS) that holds ``samples`` (H, W, 3|4), uint8 or uint16.

    Raises:
        ImageError: If the format has no room for something of it.
    """
    encoders: dict[str, Callable[[NDArray[Any], int, bytes | None, Blocks], bytes]]
    encoders = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "TIFF": _tiff, "AVIF": _avif}
    try:
        return encoders[format](samples, quality, icc, blocks)
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError(f"The picture cannot be stored as {format} ({error}); write PNG instead.") from error


def _pillow(samples: NDArray[Any], format: str, icc: bytes | None, **options: Any) -> bytes:  # noqa: A002
    stream = BytesIO()
    given = {key: value for key, value in {**options, "icc_profile": icc}.items() if value is not None}
    Image.fromarray(samples).save(stream, format, **given)
    return stream.getvalue()


def _jpeg(samples: NDArray[Any], quality: int, icc: bytes | None, blocks: Blocks) -> bytes:
    # subsampling=0 keeps the color of every pixel (4:4:4): brush strokes differ in color more than photos do.
    comment = dict(blocks.texts).get("Comment")
    options = {"quality": quality, "subsampling": 0, "exif": blocks.exif_block, "dpi": blocks.dpi}
    data = _pillow(samples, "JPEG", icc, comment=comment and comment.encode("utf-8", "replace"), **options)
    after_jfif = 4 + int.from_bytes(data[4:6], "big")
    ours = xmp.jpeg_segments(blocks.xmp) if blocks.xmp else b""
    captions = iptc.jpeg_segment(blocks.iptc) if blocks.iptc else b""
    return data[:after_jfif] + ours + captions + data[after_jfif:]


def _webp(samples: NDArray[Any], quality: int, icc: bytes | None, blocks: Blocks) -> bytes:
    # Below 100 WebP halves the resolution of color, always. exact: keep the colors of transparent pixels, which read() extended with care.
    options = {"quality": quality, "lossless": quality == 100, "exact": True, "xmp": blocks.xmp}
    return _pillow(samples, "WEBP", icc, exif=blocks.exif_block, **options)


def _avif(samples: NDArray[Any], quality: int, icc: bytes | None, blocks: Blocks) -> bytes:
    # Pillow takes the orientation out of EXIF for a box of AVIF's own, and writes the rest anew in its way. Upright is
    # what a picture without one is.
    bare = {tag: entry for tag, entry in blocks.exif.main.items() if tag != exif.ORIENTATION}
    described = exif.Exif(blocks.exif.layout, bare, blocks.exif.photo, blocks.exif.place)
    options = {"quality": quality, "subsampling": "4:4:4", "xmp": blocks.xmp}
    return _pillow(samples, "AVIF", icc, exif=described.packed() if described else None, **options)


def _png(samples: NDArray[Any], quality: int, icc: bytes | None, blocks: Blocks) -> bytes:  # noqa: ARG001
    if samples.dtype == np.uint8:
        bare = _pillow(samples, "PNG", None)
    else:
        bare = vips(samples).write_to_buffer(".png", bitdepth=16, keep="none")
    # libvips writes a resolution nobody asked for: of its chunks take those that a PNG cannot do without.
    critical = [whole for kind, _, whole in png.chunks(bare) if kind.isupper()]
    return b"".join([png.SIGNATURE, critical[0], *_ancillary(icc, blocks), *critical[1:]])


def _ancillary(icc: bytes | None, blocks: Blocks) -> Iterator[bytes]:
    if icc:
        yield png.chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if blocks.dpi:
        x, y = (round(dpi / 0.0254) for dpi in blocks.dpi)
        yield png.chunk(b"pHYs", struct.pack(">IIB", x, y, 1))  # 1: per meter
    if blocks.exif_block:
        yield png.chunk(b"eXIf", blocks.exif_block.removeprefix(exif.PREFIX))
    if blocks.xmp:
        yield png.chunk(b"iTXt", png.XMP_KEY.encode() + b"\0\0\0\0\0" + blocks.xmp)
    for key, text in blocks.texts:
        yield png.text_chunk(key, text)


def _tiff(samples: NDArray[Any], quality: int, icc: bytes | None, blocks: Blocks) -> bytes:  # noqa: ARG001
    bare: bytes = vips(samples).write_to_buffer(".tif", compression="deflate", predictor="horizontal", keep="none")
    header, filling, directory = described_tiff(bare, icc, blocks)
    return header + bare[len(header) :] + filling + directory


_RESOLUTION_TAGS = (282, 283, 296)
_XMP_TAG, _IPTC_TAG, _ICC_TAG = 700, 33723, 34675


def described_tiff(tiff: bytes | memoryview, icc: bytes | None, blocks: Blocks) -> tuple[bytes, bytes, bytes]:
    """What the first directory of a TIFF of one page becomes: libvips writes no EXIF but a resolution nobody asked for.

    Returns:
        The header to stand in place of the file's, and what to write behind the file: zeros, and the directory.
    """
    layout = directories.TiffLayout.of(tiff)
    old, _ = layout.read(tiff, layout.first(tiff))
    said, order = blocks.exif, blocks.exif.layout
    main = {tag: entry for tag, entry in old.items() if tag not in _RESOLUTION_TAGS}
    main |= order.turned(said.main, layout.order)
    kinds = {_ICC_TAG: directories.UNDEFINED, _XMP_TAG: directories.BYTE, _IPTC_TAG: directories.UNDEFINED}
    for tag, data in {_ICC_TAG: icc, _XMP_TAG: blocks.xmp, _IPTC_TAG: blocks.iptc}.items():
        if data:
            main[tag] = directories.DirectoryEntry(kinds[tag], data)
    nested = {tag: order.turned(directory, layout.order) for tag, directory in said.nested.items()}
    filling = bytes(-len(tiff) % 8)
    start = len(tiff) + len(filling)
    return layout.leading_to(start), filling, layout.pack(main, nested, start)


def vips(samples: NDArray[Any]) -> Any:
    """Samples (H, W, 3|4) as an image of libvips."""
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    interpretation = "srgb" if samples.dtype == np.uint8 else "rgb16"
    return pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=interpretation)
