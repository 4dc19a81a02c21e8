"""Small pictures of pictures, for pages that show many."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.images.decoding import MAX_PIXELS, Decoded, decode
from impasto.images.reading import srgb, upright

_BEHIND = 236  # what shows through transparent parts
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_QUALITY = 88


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG of a picture, upright and in sRGB, and the height and width of the picture itself."""

    jpeg: bytes
    shape: tuple[int, int]


def thumbnail(data: bytes, side: int, *, name: str = "The picture", max_pixels: int = MAX_PIXELS) -> Thumbnail:
    """The picture in a file's bytes, shrunk until its long side has at most ``side`` pixels.

    All of the file is decoded, so what comes out is proof that the bytes are a picture; nothing of the file but its
    pixels comes along.

    Raises:
        ImageError: as :func:`impasto.images.read`.
    """
    decoded = decode(data, name, max_pixels)
    stored_height, stored_width = decoded.color.shape[:2]
    turned = decoded.orientation in (5, 6, 7, 8)
    shape = (stored_width, stored_height) if turned else (stored_height, stored_width)
    out = BytesIO()
    _small(decoded, side, name).save(out, "JPEG", quality=_QUALITY, optimize=True)
    return Thumbnail(out.getvalue(), shape)


def _small(decoded: Decoded, side: int, name: str) -> Image.Image:
    """Shrunk first and converted after, so that a huge picture costs no more than its samples."""
    channels = decoded.color.shape[2]
    color = _shrunk(decoded.color, _MODES[channels], side)
    rgb = _bytes(upright(srgb(color.reshape(*color.shape[:2], channels), decoded.icc, name), decoded.orientation))
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    if decoded.alpha is None:
        return picture
    alpha = upright(_shrunk(decoded.alpha, "L", side), decoded.orientation)
    behind = Image.new("RGB", picture.size, (_BEHIND,) * 3)
    behind.paste(picture, mask=Image.fromarray(np.ascontiguousarray(alpha)))
    return behind


def _shrunk(samples: NDArray[Any], mode: str, side: int) -> NDArray[np.uint8]:
    plain = np.ascontiguousarray(_bytes(samples))
    image = Image.frombuffer(mode, (plain.shape[1], plain.shape[0]), plain, "raw", mode, 0, 1)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _bytes(samples: NDArray[Any]) -> NDArray[np.uint8]:
    return (samples >> 8).astype(np.uint8) if samples.dtype == np.uint16 else samples.astype(np.uint8, copy=False)
