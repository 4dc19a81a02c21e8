"""From a file's bytes to its samples: Pillow for 8 bits, libvips for 16 bits and for every TIFF."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from impasto.errors import ImageError
from impasto.images import colorimetry, headers, iptc, pages, png
from impasto.images import exif as exif_tags
from impasto.images.directories import TiffLayout

# Called directly rather than through Image.open, whose bomb limit is a global that other code in the process shares.
# Each stands behind Pillow's own test of a file's first bytes.
_OPENERS = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
_REASON = 160  # letters of what a decoder says
_AVIF_HEAD = 2**16  # bytes within which its properties stand
MAX_PIXELS = 400_000_000
"""The default limit of a picture's size, beyond which a file is taken for a decompression bomb."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_CANON_RAW = b"crx "
_JPEG_END = b"\xff\xd9"
_ICC_TAG, _XMP_TAG, _IPTC_TAG, _RESOURCES_TAG = _TIFF_BLOCKS = (34675, 700, 33723, 34377)


@dataclass(frozen=True)
class Decoded:
    """A picture as its file stores it.

    Args:
        color: (H, W, 1|3|4) uint8 or uint16: gray, RGB or CMYK (0 is no ink). Not yet turned upright.
        alpha: (H, W) of the same type, or None.
        orientation: How the rows lie in the picture, in EXIF's numbers 1 to 8.
        format: Pillow's name of the format.
        exif: Its EXIF, empty where there is none.
        icc: Its color profile, or one that says what it says of its colors by numbers.
        dpi: Pixels per inch, along the stored rows and columns.
        packets: Its XMP.
        iptc: Its IPTC captions.
        texts: Its texts by their keys.
        notes: Sentences on what was found and not used.
    """

    color: NDArray[Any]
    alpha: NDArray[Any] | None
    orientation: int
    format: str
    exif: exif_tags.Exif
    icc: bytes | None
    dpi: tuple[float, float] | None
    packets: tuple[bytes, ...] = ()
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def decode(data: bytes, name: str, max_pixels: int) -> Decoded:
    """The samples in ``data``, whose size is checked against ``max_pixels`` before any of them is decoded.

    Raises:
        ImageError: For unknown formats, several frames, damaged files, and more than ``max_pixels``.
    """
    if is_tiff(data):
        with guarded(name):
            return _decode_tiff(data, name, max_pixels)
    header = open_header(data, name, max_pixels)
    with guarded(name):
        if header.format == "PNG" and data[24] == 16:  # the IHDR chunk's bit depth
            color, alpha, _ = _vips_samples(_vips_open(png.bare(data)), name, (pages.ALPHA,))
            return _gather(header, color, alpha, name)
        try:
            return decode_pillow(header, name)
        except OSError:
            if header.format != "JPEG" or not _lacks_only_its_end(data, header):
                raise
            return decode_pillow(open_header(data + _JPEG_END, name, max_pixels), name)


def _lacks_only_its_end(data: bytes, header: Image.Image) -> bool:
    """Whether all pixels of a JPEG are there, and only the marker behind them is not.

    A progressive one may end after any of its scans, so that nothing tells a whole one from one that was cut short.
    """
    if header.info.get("progressive"):
        return False
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    try:
        pyvips.Image.new_from_buffer(data + _JPEG_END, "", fail_on="warning").avg()
    except pyvips.Error:
        return False
    return True


def check_header(data: bytes, name: str, max_pixels: int) -> None:
    """Refuse what is no single picture, as far as that shows without decoding a sample.

    Raises:
        ImageError: as :func:`decode`.
    """
    if not is_tiff(data):
        open_header(data, name, max_pixels)
        return
    with guarded(name):
        view = memoryview(data)
        layout = TiffLayout.of(view)
        check_size(pages.size_of(layout, pages.picture_of(view, layout, name)), name, max_pixels)


def is_tiff(data: bytes) -> bool:
    """Whether ``data`` begins like a TIFF or BigTIFF file."""
    return data.startswith(_TIFF)


def open_header(data: bytes, name: str, max_pixels: int) -> ImageFile.ImageFile:
    """Pillow's view of a single picture that is not TIFF, of which only the header has been read.

    Raises:
        ImageError: For unknown formats, several frames, damaged headers, and more than ``max_pixels``.
    """
    with guarded(name):
        kind = next((kind for kind in _OPENERS if _accepts(kind, data)), None)
        if kind is None:
            raise ImageError(_unknown(data, name))
        header = _OPENERS[kind](BytesIO(png.bare(data) if kind == "PNG" else data), name)
        check_size(header.size, name, max_pixels)
        frames = getattr(header, "n_frames", 1)
        # A camera's JPEG (MPO) is followed by a depth map, a gain map or a second view; the first frame is the picture.
        if frames > 1 and header.format != "MPO":
            raise ImageError(
                f"{name} holds {frames} frames or pages but one picture is needed; extract the one you want."
            )
        if kind == "PNG":
            header.info.update(png.chunk_metadata(data, name))
        if kind == "AVIF" and not header.info.get("icc_profile") and (codes := _nclx(data)):
            header.info["cicp"] = codes
        return header


def _nclx(data: bytes) -> tuple[int, ...] | None:
    """The color primaries and transfer characteristics of an AVIF, in the numbers of ITU-T H.273."""
    _, found, codes = data[:_AVIF_HEAD].partition(b"colrnclx")
    return struct.unpack(">HH", codes[:4]) if found and len(codes) >= 4 else None


def check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Refuse more than ``max_pixels`` pixels, and none; ``size`` is (width, height).

    Raises:
        ImageError: If there are too many or too few.
    """
    width, height = size
    if width * height == 0:
        raise ImageError(f"{name} has {width} x {height} pixels; a picture needs at least one.")
    if width * height > max_pixels:
        raise ImageError(
            f"{name} has {width} x {height} pixels, above the limit of {max_pixels / 1e6:g} megapixels; "
            "shrink it, or raise max_pixels if you trust the file."
        )


def decode_pillow(image: Image.Image, name: str) -> Decoded:
    """The samples of a Pillow image of any mode that holds 8-bit colors or 16-bit gray.

    Raises:
        ImageError: For modes of other samples.
    """
    if image.mode.startswith("I;16"):
        return _gather(image, np.asarray(image).astype(np.uint16)[..., None], None, name)
    mode = _plain_mode(image, name)
    samples = np.atleast_3d(np.asarray(image.convert(mode)))
    if mode in ("LA", "RGBA"):
        return _gather(image, samples[..., :-1], samples[..., -1], name)
    return _gather(image, samples, None, name)


def _gather(image: Image.Image, color: NDArray[Any], alpha: NDArray[Any] | None, name: str) -> Decoded:
    block = headers.exif_block(image)
    exif = exif_tags.parse(block)
    return Decoded(
        color=color,
        alpha=alpha,
        orientation=headers.orientation(image),
        format="JPEG" if image.format == "MPO" else image.format or "PIL image",
        exif=exif,
        icc=headers.profile(image.info, exif, color.shape[2], name),
        dpi=headers.resolution(image, exif),
        packets=headers.packets(image),
        iptc=headers.captions(image.info),
        texts=headers.texts(image),
        notes=(f"The EXIF of {name} is damaged and was left out.",) if block and not exif.main else (),
    )


def _plain_mode(image: Image.Image, name: str) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        return "LA" if image.has_transparency_data else "L"
    if image.mode == "CMYK":
        return "CMYK"
    if image.mode in ("P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "YCbCr"):
        return "RGBA" if image.has_transparency_data else "RGB"
    raise ImageError(f"{name} stores its colors as {image.mode}; save it as RGB with 8 or 16 bits per sample.")


def _decode_tiff(data: bytes, name: str, max_pixels: int) -> Decoded:
    view = memoryview(data)
    layout = TiffLayout.of(view)
    page = pages.picture_of(view, layout, name)
    image = _vips_open(data, page=page.number, **({} if page.below is None else {"subifd": page.below}))
    check_size((image.width, image.height), name, max_pixels)
    color, alpha, notes = _vips_samples(image, name, pages.extra_samples(layout, page))
    exif = exif_tags.of_page(view, layout, page.directory)
    said = {tag: bytes(entry.data) for tag, entry in page.directory.items() if tag in _TIFF_BLOCKS}
    icc = said.get(_ICC_TAG)
    points = pages.chromaticities(layout, page)
    if not icc and points and color.shape[2] == 3:
        icc = colorimetry.by_gamma(None, points, 3)
    return Decoded(
        color=color,
        alpha=alpha,
        orientation=exif_tags.orientation(exif),
        format="TIFF",
        exif=exif,
        icc=icc or headers.profile({}, exif, color.shape[2], name),
        dpi=exif_tags.resolution(exif),
        packets=(said[_XMP_TAG],) if _XMP_TAG in said else (),
        iptc=said.get(_IPTC_TAG) or iptc.from_resources(said.get(_RESOURCES_TAG, b"8BIM")),
        notes=notes,
    )


def _vips_open(data: bytes, **options: Any) -> Any:
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    return pyvips.Image.new_from_buffer(data, "", fail_on="error", **options)


def _vips_samples(
    image: Any, name: str, extras: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any] | None, tuple[str, ...]]:
    """Colors, transparency and notes; ``extras`` are the kinds of the channels beyond the colors, in TIFF's numbers."""
    channels = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3, "cmyk": 4}.get(image.interpretation, 0)
    beyond = image.bands - channels
    if not channels or image.format not in ("uchar", "ushort") or beyond < 0:
        raise ImageError(
            f"{name} stores {image.bands} channels of {image.interpretation} as {image.format}; save it as gray, RGB or "
            "CMYK, with or without an alpha channel, in 8 or 16 bits per sample."
        )
    samples = np.atleast_3d(image.numpy())
    color = samples[..., :channels]
    place = next((at for at, kind in enumerate(extras[:beyond]) if kind in (pages.ALPHA, pages.PREMULTIPLIED)), None)
    others = beyond - (place is not None)
    many = f"{others} further channels that are" if others > 1 else "a further channel that is"
    note = f"{name} has {many} not marked as transparency; what is in it was left out."
    alpha = None if place is None else samples[..., channels + place]  # libvips has undone what was premultiplied
    return color, alpha, (note,) if others else ()


def _accepts(kind: str, data: bytes) -> bool:
    accept = Image.OPEN[kind][1]
    if accept is None or accept(data[:32]) is not True:
        return False
    return kind != "AVIF" or not _brands(data).isdisjoint((b"avif", b"avis"))  # Pillow takes HEIC for one, too


def _brands(data: bytes) -> set[bytes]:
    """What a file in the format of ISO media says that it is: AVIF, HEIC or a RAW photo of Canon."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), _AVIF_HEAD)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}


def _unknown(data: bytes, name: str) -> str:
    if not data:
        return f"{name} is empty (0 bytes); copy or download it again."
    if _CANON_RAW in (brands := _brands(data)) or data.startswith(_RAW):
        return pages.raw_photo(name)
    if not brands.isdisjoint(_HEIC):
        return f"{name} is a HEIC photo, which cannot be read; export it as JPEG or PNG."
    return f"{name} is not a picture in a known format; give a {', '.join(_OPENERS)} or TIFF file."


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turn what decoders raise on hostile bytes, which may be anything, into one sentence, and silence their warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_REASON] or type(error).__name__
        raise ImageError(f"{name} is damaged or cut short ({reason}); copy or download it again.") from error
