"""Small copies of pictures: upright, in sRGB, and nothing of the file but its pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from impasto.errors import ImageError
from impasto.images.thumbnails import thumbnail


def encoded(image, kind="PNG", **options):
    """The bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def colors(mode="RGB", size=(60, 40)):
    """A gradient."""
    return Image.linear_gradient("L").resize(size).convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "P"])
def test_any_picture_becomes_a_jpeg(mode):
    """Of every mode; it keeps its proportions and is never enlarged."""
    found = thumbnail(encoded(colors(mode)), 30)
    assert found.shape == (40, 60)
    small = Image.open(io.BytesIO(found.jpeg))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (30, 20))
    assert Image.open(io.BytesIO(thumbnail(encoded(colors(mode)), 300).jpeg)).size == (60, 40)


def test_other_formats():
    """CMYK, 16 bits, TIFF and WebP too."""
    deep = np.linspace(0, 65535, 60 * 40, dtype=np.uint16).reshape(40, 60)
    for data in (
        encoded(colors("CMYK"), "JPEG"),
        encoded(Image.fromarray(deep)),
        encoded(colors(), "TIFF"),
        encoded(colors(), "WEBP"),
    ):
        assert Image.open(io.BytesIO(thumbnail(data, 20).jpeg)).size == (20, 13)


def test_it_is_upright():
    """A photo that a camera stored lying down stands up, and its size is that of the standing one."""
    exif = Image.Exif()
    exif[274] = 6
    found = thumbnail(encoded(colors(), "JPEG", exif=exif), 30)
    assert found.shape == (60, 40)
    assert Image.open(io.BytesIO(found.jpeg)).size == (20, 30)


def test_nothing_but_pixels_comes_along():
    """Neither EXIF, nor comments, nor what stands behind the picture."""
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    data = encoded(colors(), "JPEG", exif=exif, comment=b"secret") + b"<script>"
    jpeg = thumbnail(data, 30).jpeg
    assert not any(word in jpeg for word in (b"where I live", b"secret", b"<script>"))


def test_what_is_no_picture_is_refused():
    """Too many pixels are found before they are decoded; damage is found because all is decoded."""
    with pytest.raises(ImageError, match="above the limit"):
        thumbnail(encoded(colors()), 30, max_pixels=2399)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    with pytest.raises(ImageError, match="damaged or cut short"):
        thumbnail(encoded(Image.fromarray(noise))[:-3000], 30)
