"""From a file's bytes to its samples: Pillow for 8 bits, libvips for 16 bits and for every TIFF."""

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
from impasto.images import exif as exif_tags

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
MAX_PIXELS = 400_000_000
"""The default limit of a picture's size, beyond which a file is taken for a decompression bomb."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1")


@dataclass(frozen=True)
class Decoded:
    """A picture as its file stores it.

    Args:
        color: (H, W, 1|3|4) uint8 or uint16: gray, RGB or CMYK (0 is no ink). Not yet turned upright.
        alpha: (H, W) of the same type, or None.
        orientation: How the rows lie in the picture, in EXIF's numbers 1 to 8.
        format: Pillow's name of the format.
        exif: Its EXIF, empty where there is none.
        icc: Its color profile.
        dpi: Pixels per inch.
    """

    color: NDArray[Any]
    alpha: NDArray[Any] | None
    orientation: int
    format: str
    exif: Image.Exif
    icc: bytes | None
    dpi: tuple[float, float] | None


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
            color, alpha = _vips_samples(_vips_open(data), name)
            return _gather(header, color, alpha)
        return decode_pillow(header, name)


def is_tiff(data: bytes) -> bool:
    """Whether ``data`` begins like a TIFF or BigTIFF file."""
    return data.startswith(_TIFF)


def open_header(data: bytes, name: str, max_pixels: int) -> ImageFile.ImageFile:
    """Pillow's view of a single picture that is not TIFF, of which only the header has been read.

    Raises:
        ImageError: For unknown formats, several frames, damaged headers, and more than ``max_pixels``.
    """
    with guarded(name):
        kind = next((kind for kind in _OPENERS if _accepts(kind, data[:32])), None)
        if kind is None:
            raise ImageError(_unknown(data, name))
        header = _OPENERS[kind](BytesIO(data), name)
        check_size(header.size, name, max_pixels)
        # A camera's MPO is a JPEG followed by a depth map, a gain map or a second view.
        if header.format != "MPO":
            _check_frames(getattr(header, "n_frames", 1), name)
        return header


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
        return _gather(image, np.asarray(image).astype(np.uint16)[..., None], None)
    mode = _plain_mode(image, name)
    samples = np.atleast_3d(np.asarray(image.convert(mode)))
    if mode in ("LA", "RGBA"):
        return _gather(image, samples[..., :-1], samples[..., -1])
    return _gather(image, samples, None)


def _gather(image: Image.Image, color: NDArray[Any], alpha: NDArray[Any] | None) -> Decoded:
    exif = _pillow_exif(image)
    dpi = image.info.get("dpi")
    return Decoded(
        color=color,
        alpha=alpha,
        orientation=exif_tags.orientation(exif),
        format="JPEG" if image.format == "MPO" else image.format or "PIL image",
        exif=exif,
        icc=image.info.get("icc_profile") or None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else exif_tags.resolution(exif),
    )


def _pillow_exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001  # Pillow's EXIF reader raises whatever hostile bytes lead it to
        return Image.Exif()


def _plain_mode(image: Image.Image, name: str) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        return "LA" if image.has_transparency_data else "L"
    if image.mode == "CMYK":
        return "CMYK"
    if image.mode in ("P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "YCbCr"):
        return "RGBA" if image.has_transparency_data else "RGB"
    raise ImageError(f"{name} stores its colors as {image.mode}; save it as RGB with 8 or 16 bits per sample.")


def _decode_tiff(data: bytes, name: str, max_pixels: int) -> Decoded:
    image = _vips_open(data)
    check_size((image.width, image.height), name, max_pixels)
    _check_frames(_field(image, "n-pages", 1), name)
    color, alpha = _vips_samples(image, name)
    exif = exif_tags.load_exif(data)  # without BigTIFF, whose EXIF and resolution are not taken over
    return Decoded(
        color=color,
        alpha=alpha,
        orientation=_field(image, "orientation", 1),
        format="TIFF",
        exif=exif,
        icc=_field(image, "icc-profile-data", None),
        dpi=exif_tags.resolution(exif),
    )


def _field(image: Any, name: str, default: Any) -> Any:
    return image.get(name) if image.get_typeof(name) else default


def _vips_open(data: bytes) -> Any:
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    return pyvips.Image.new_from_buffer(data, "", fail_on="error")


def _vips_samples(image: Any, name: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    channels = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3, "cmyk": 4}.get(image.interpretation, 0)
    extra = image.bands - channels
    if not channels or image.format not in ("uchar", "ushort") or extra not in (0, 1):
        raise ImageError(
            f"{name} stores {image.bands} channels of {image.interpretation} as {image.format}; save it as gray, RGB or "
            "CMYK, with or without an alpha channel, in 8 or 16 bits per sample."
        )
    samples = np.atleast_3d(image.numpy())
    return samples[..., :channels], samples[..., channels] if extra else None


def _check_frames(frames: int, name: str) -> None:
    if frames > 1:
        raise ImageError(f"{name} holds {frames} frames or pages but one picture is needed; extract the one you want.")


def _accepts(kind: str, prefix: bytes) -> bool:
    accept = Image.OPEN[kind][1]
    return accept is not None and accept(prefix) is True


def _unknown(data: bytes, name: str) -> str:
    if not data:
        return f"{name} is empty (0 bytes); copy or download it again."
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
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
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name} is damaged or cut short ({reason}); copy or download it again.") from error
