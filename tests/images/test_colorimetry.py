"""Colors that a file names by numbers, against the formulas of the standards."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from impasto.errors import ImageError
from impasto.images import colorimetry, profiles, read, write


def to_light(x):
    """IEC 61966-2-1."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def from_light(x):
    """Its inverse."""
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def chunk(kind, content):
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunks(data, *chunks):
    """A PNG with chunks behind its header."""
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def chromaticities(*points):
    """The content of cHRM."""
    return struct.pack(f">{len(points)}I", *(round(point * 100_000) for point in points))


P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3_TO_SRGB = np.array([[1.2249402, -0.2249402, 0], [-0.0420570, 1.0420570, 0], [-0.0196376, -0.0786360, 1.0982736]])
ADOBE_TO_SRGB = np.array([[1.3983557, -0.3983557, 0], [0, 1, 0], [0, -0.0429290, 1.0429290]])


@pytest.fixture
def muted():
    """8-bit colors inside sRGB's gamut when read in a wider one."""
    return np.random.default_rng(0).integers(110, 160, (12, 16, 3)).astype(np.uint8)


def distance(picture, expected, rgb):
    """The largest distance in 8-bit levels."""
    return np.abs(rgb(picture) - expected).max() * 255


@pytest.mark.parametrize("deep", [False, True])
def test_gamma_is_applied(muted, encoded, rgb, deep):
    """Light is the sample to the power of 1 / gAMA."""
    samples = muted.astype(np.uint16) * 257 if deep else muted
    data = encoded(muted) if not deep else _deep(samples)
    found = read(with_chunks(data, (b"gAMA", struct.pack(">I", 100_000))))
    assert distance(found, from_light(muted / 255), rgb) < 0.5
    assert found.source.icc


def _deep(samples):
    import pyvips

    return pyvips.Image.new_from_array(samples, interpretation="rgb16").write_to_buffer(".png", keep="none")


def test_gray_has_a_gamma_too(encoded, rgb):
    """A render of light in proportion to its samples."""
    gray = np.arange(20, 240, 4, np.uint8).reshape(5, 11)
    found = read(with_chunks(encoded(gray), (b"gAMA", struct.pack(">I", 100_000))))
    assert found.source.gray
    assert distance(found, from_light(gray / 255)[..., None], rgb) < 1


def test_chromaticities_are_applied(muted, encoded, rgb):
    """Display P3 by its primaries."""
    data = with_chunks(encoded(muted), (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", chromaticities(*P3)))
    expected = from_light(to_light(muted / 255) @ P3_TO_SRGB.T)
    assert distance(read(data), expected, rgb) < 0.5


def test_the_numbers_of_srgb_change_nothing(muted, encoded, rgb):
    """So written by most programs, beside the sRGB chunk or without it."""
    usual = [(b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", chromaticities(*SRGB))]
    for chunks in (usual, [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))], [(b"cICP", bytes([1, 13, 0, 1]))]):
        found = read(with_chunks(encoded(muted), *chunks))
        assert distance(found, muted / 255, rgb) < 1e-3
        assert found.source.icc is None


def test_nonsense_changes_nothing(muted, encoded, rgb):
    """Primaries on one line and a gamma of zero span no space."""
    for chunks in ([(b"gAMA", bytes(4))], [(b"cHRM", chromaticities(*[0.3] * 8))], [(b"cHRM", bytes(32))]):
        assert distance(read(with_chunks(encoded(muted), *chunks)), muted / 255, rgb) < 1e-3


def test_code_points_come_before_a_profile(muted, encoded, rgb, display_p3):
    """The third edition of PNG sets cICP above all others."""
    data = with_chunks(encoded(muted, icc_profile=display_p3), (b"cICP", bytes([1, 13, 0, 1])))
    assert distance(read(data), muted / 255, rgb) < 1e-3
    data = with_chunks(encoded(muted), (b"cICP", bytes([12, 13, 0, 1])))
    assert distance(read(data), from_light(to_light(muted / 255) @ P3_TO_SRGB.T), rgb) < 0.5


@pytest.mark.parametrize("codes", [(9, 16, 0, 1), (9, 18, 0, 1), (99, 13, 0, 1), (1, 99, 0, 1), (1, 13, 0, 0)])
def test_light_beyond_white_and_unknown_spaces_are_named(muted, encoded, codes):
    """HDR is no picture in [0, 1]."""
    with pytest.raises(ImageError, match=r"HDR picture.*SDR|save it as sRGB"):
        read(with_chunks(encoded(muted), (b"cICP", bytes(codes))))


def test_code_points_of_avif_are_applied(muted, encoded, rgb):
    """Its nclx box says the same as cICP."""
    smooth = np.broadcast_to(np.array([150, 120, 130], np.uint8), (16, 16, 3))
    data = encoded(np.ascontiguousarray(smooth), "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    plain, wide = read(data), read(data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :])
    assert plain.source.icc is None
    expected = from_light(to_light(rgb(plain)) @ P3_TO_SRGB.T)
    assert distance(wide, expected, rgb) < 0.5
    with pytest.raises(ImageError, match="HDR"):
        read(data[:at] + struct.pack(">HH", 9, 16) + data[at + 4 :])


@pytest.mark.parametrize(("space", "index"), [(65535, "R03"), (2, None)])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_adobe_rgb_of_cameras_is_recognized(muted, *, encoded, rgb, kind, space, index):
    """By EXIF alone; the copy says so by a profile."""
    exif = Image.Exif()
    exif[0x8769] = {0xA001: space, **({0xA005: {1: index}} if index else {})}
    data = encoded(
        muted, kind, exif=exif, **{"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    )
    found = read(data)
    expected = from_light((muted / 255) ** (563 / 256) @ ADOBE_TO_SRGB.T)
    assert distance(found, expected, rgb) < (12 if kind == "JPEG" else 0.6)
    assert found.source.icc == colorimetry.adobe_rgb()


def test_an_uncalibrated_space_without_a_name_is_srgb(muted, encoded, rgb):
    """65535 alone says nothing."""
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R98"}}
    assert distance(read(encoded(muted, exif=exif)), muted / 255, rgb) < 1e-3


def test_the_copy_keeps_the_space(muted, encoded, tmp_path):
    """Numbers that were read in P3 are written in P3, with a profile."""
    photo = read(with_chunks(encoded(muted), (b"cICP", bytes([12, 13, 0, 1]))))
    write(tmp_path / "a.png", photo.pixels, like=photo)
    with Image.open(tmp_path / "a.png") as image:
        assert np.abs(np.asarray(image).astype(int) - muted).max() <= 1
        assert image.info["icc_profile"] == photo.source.icc


def test_profiles_are_valid():
    """LittleCMS opens them, for gray and for RGB."""
    assert profiles.mismatch(colorimetry.adobe_rgb(), 3) is None
    assert profiles.mismatch(colorimetry.by_gamma(1.0, None, 1), 1) is None
    assert profiles.is_srgb(colorimetry.by_codes((5, 13, 0, 1), 3, "x")) is False
    for code in (1, 4, 5, 6, 7, 8, 9, 11, 12):
        assert profiles.is_restorable(colorimetry.by_codes((code, 4, 0, 1), 3, "x"))
    assert colorimetry.by_codes((2, 2, 2, 1), 3, "x") is None


def test_masks_are_taken_as_they_are_stored(encoded, linear_gray, muted, display_p3):
    """Half a share stays half, whatever light the profile or a gamma makes of it."""
    half = np.full((4, 4), 128, np.uint8)
    for data in (
        encoded(half, icc_profile=linear_gray),
        with_chunks(encoded(half), (b"gAMA", struct.pack(">I", 100_000))),
    ):
        assert (read(data).pixels - 128 / 255).abs().max() > 0.1
        assert (read(data, as_stored=True).pixels - 128 / 255).abs().max() < 1e-6
    stored = read(encoded(muted, icc_profile=display_p3), as_stored=True).pixels[0].permute(1, 2, 0).numpy()
    assert np.abs(stored - muted / 255).max() < 1e-6
