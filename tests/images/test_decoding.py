"""Files of every kind: their samples in full depth, and their faults in one sentence."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import ImageError
from impasto.images import read


def png_header(width, height, bit_depth=8):
    """A PNG that claims a size and brings no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, bit_depth, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"")
    framed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (chunk, pixels, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("TIFF", {"compression": "tiff_lzw"})],
)
def test_lossless_formats_are_read_exactly(photo, *, kind, options, encoded, rgb, unit):
    """Every 8-bit level arrives as level / 255."""
    picture = read(encoded(photo, kind, **options))
    assert np.array_equal(rgb(picture), unit(photo))
    assert (picture.source.format, picture.source.depth, picture.source.gray) == (kind, 8, False)
    assert picture.alpha is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 97, "subsampling": 0}), ("WEBP", {"quality": 97}), ("AVIF", {"quality": 97})],
)
def test_lossy_formats_are_read_closely(photo, *, kind, options, encoded, rgb, unit):
    """A smooth picture comes back within five levels, and within one on average."""
    difference = np.abs(rgb(read(encoded(photo, kind, **options))) - unit(photo)) * 255
    assert difference.max() < 5.5
    assert difference.mean() < 1


def test_gif_with_one_frame_is_read(photo, encoded, rgb, unit):
    """A still GIF is a picture with a palette."""
    still = Image.fromarray(photo).quantize(64)
    assert np.array_equal(rgb(read(encoded(still, "GIF"))), unit(np.asarray(still.convert("RGB"))))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_are_read_exactly(suffix, channels, deep, rgb, unit):
    """Gray and RGB, with and without alpha, keep all 65536 levels."""
    samples = np.random.default_rng(0).integers(20_000, 65_536, (9, 13, channels)).astype(np.uint16)
    picture = read(deep(samples, suffix))
    color = samples[..., : 1 if channels < 3 else 3]
    assert np.array_equal(rgb(picture), np.broadcast_to(unit(color), (9, 13, 3)))
    assert (picture.source.depth, picture.source.gray) == (16, channels < 3)
    assert (picture.alpha is None) == (channels in (1, 3))
    if picture.alpha is not None:
        assert np.array_equal(picture.alpha[0, 0].numpy(), unit(samples[..., -1]))


def test_pil_images_of_16_bit_gray_are_read_exactly(rgb, unit):
    """Pillow's one 16-bit mode keeps its levels."""
    samples = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    picture = read(Image.fromarray(samples))
    assert np.array_equal(rgb(picture)[..., 0], unit(samples))
    assert (picture.source.depth, picture.source.gray) == (16, True)


@pytest.mark.parametrize("mode", ["1", "L", "P", "PA", "LA", "RGB", "RGBX", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_of_pillow_is_read(photo, mode, rgb, unit):
    """Colors are Pillow's own RGB conversion, but for CMYK, which Pillow converts without ink in mind."""
    image = Image.fromarray(photo)
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    picture = read(image)
    assert picture.source.gray == (mode in ("1", "L", "LA"))
    assert picture.alpha is None
    if mode != "CMYK":
        assert np.array_equal(rgb(picture), unit(np.asarray(image.convert("RGB"))))


@pytest.mark.parametrize("mode", ["LAB", "HSV", "F", "I"])
def test_modes_without_a_known_range_are_refused(mode):
    """A sentence names the mode."""
    with pytest.raises(ImageError, match=f"stores its colors as {mode}"):
        read(Image.new(mode, (4, 4)))


def test_multi_picture_jpeg_of_a_phone_is_its_first_picture(photo, encoded):
    """An MPO file is a JPEG with a gain map behind it."""
    second = Image.fromarray(photo[:8, :8])
    picture = read(encoded(photo, "MPO", save_all=True, append_images=[second]))
    assert picture.shape == photo.shape[:2]
    assert picture.source.format == "JPEG"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_several_frames_are_refused(photo, kind, encoded):
    """It is the user who knows which frame is meant."""
    data = encoded(photo, kind, save_all=True, append_images=[Image.fromarray(255 - photo)])
    with pytest.raises(ImageError, match="holds 2 frames or pages but one"):
        read(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"Dear diary, this is no picture.", "is not a picture in a known format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC photo"),
        (b"II*\0 and then nonsense", "is damaged or cut short"),
        (png_header(0, 5), "damaged|at least one"),
        (png_header(5, 5), "is damaged or cut short"),
    ],
)
def test_files_that_are_no_picture_are_refused(data, sentence, tmp_path):
    """The sentence names the file, whatever its extension claims."""
    path = tmp_path / "fake.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=sentence) as caught:
        read(path)
    assert "fake.png" in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP"])
def test_truncated_files_are_refused(kind, encoded):
    """Half a file is an error, not half a picture over gray."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = encoded(noise, kind)
    with pytest.raises(ImageError, match="damaged or cut short"):
        read(data[: len(data) // 2])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_truncated_16_bit_files_are_refused(suffix, deep):
    """The same for what libvips reads."""
    data = deep(np.random.default_rng(0).integers(0, 65536, (64, 64, 3)).astype(np.uint16), suffix)
    with pytest.raises(ImageError, match="damaged or cut short"):
        read(data[: len(data) // 2])


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_a_decompression_bomb_is_refused_from_its_header(bit_depth):
    """A PNG that claims 10 gigapixels is refused before anything of that size is allocated."""
    with pytest.raises(ImageError, match="100000 x 100000 pixels, above the limit of 400 megapixels"):
        read(png_header(100_000, 100_000, bit_depth))


def test_a_tiff_bomb_is_refused_from_its_header(photo, encoded):
    """The limit holds for libvips as well."""
    data = encoded(photo, "TIFF")
    width = struct.pack("<HHII", 256, 4, 1, 56)
    assert width in data
    with pytest.raises(ImageError, match="400 megapixels"):
        read(data.replace(width, struct.pack("<HHII", 256, 4, 1, 50_000_000)))


def test_max_pixels_sets_the_limit_for_every_file(photo, encoded):
    """A lower limit refuses, a limit of exactly the size accepts; PIL images are held to it as well."""
    for source in (encoded(photo), encoded(photo, "TIFF"), Image.fromarray(photo)):
        with pytest.raises(ImageError, match="raise max_pixels"):
            read(source, max_pixels=40 * 56 - 1)
        assert read(source, max_pixels=40 * 56).shape == (40, 56)


def test_sizes_beyond_pillows_own_limit_are_read_without_a_warning(photo, monkeypatch, encoded):
    """Pillow's global bomb limit neither warns nor refuses below ours."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("PNG", "JPEG", "TIFF", "BMP"):
        assert read(encoded(photo, kind)).shape == (40, 56)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP", "PNG16"])
def test_damaged_files_never_raise_anything_else(kind, display_p3, encoded, deep):
    """Whatever bytes are overwritten, the answer is a picture or an ImageError of one sentence."""
    samples = np.random.default_rng(0).integers(0, 256, (12, 10, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x8769: {0x829A: 0.02}})
    options = {} if kind in ("GIF", "BMP") else {"exif": exif.tobytes(), "icc_profile": display_p3}
    data = deep(samples.astype(np.uint16) * 257) if kind == "PNG16" else encoded(samples, kind, **options)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), min_size=1, max_size=8))
    def overwrite(changes):
        damaged = bytearray(data)
        for position, value in changes:
            damaged[position] = value
        try:
            assert read(bytes(damaged), max_pixels=10**6).pixels.isfinite().all()
        except ImageError as error:
            assert "\n" not in str(error)  # noqa: PT017

    overwrite()


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("size", [(64, 64), (17, 5)])
def test_a_jpeg_without_its_end_marker_is_read(size, missing, encoded, rgb):
    """All of its pixels are there."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    data = encoded(noise, "JPEG")
    assert data.endswith(b"\xff\xd9")
    assert np.array_equal(rgb(read(data[:-missing])), rgb(read(data)))


def test_a_progressive_jpeg_without_its_end_marker_is_refused(encoded):
    """It may lack whole scans, which nothing shows."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(ImageError, match="damaged or cut short"):
        read(encoded(noise, "JPEG", progressive=True)[:-2])


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
def test_every_heic_has_its_sentence(brand):
    """It says what to do."""
    with pytest.raises(ImageError, match="is a HEIC photo, which cannot be read; export it as JPEG or PNG"):
        read(b"\0\0\0\x18ftyp" + brand + bytes(8))
