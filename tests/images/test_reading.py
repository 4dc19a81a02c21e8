"""Everything a picture can come from, upright, in sRGB, with what is remembered of it."""

import hashlib
import io
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from impasto.errors import ImageError
from impasto.images import hash_file, read

UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.rot90(np.fliplr(a)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.fliplr(a), -1),
    8: np.rot90,
}
"""How EXIF's eight orientations are turned upright."""


def test_every_way_in_gives_the_same_picture(photo, *, tmp_path, monkeypatch, encoded, rgb, unit):
    """Path, string, bytes, standard input, PIL image, array and tensor agree."""
    path = tmp_path / "photo.png"
    path.write_bytes(data := encoded(photo))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    tensor = torch.from_numpy(unit(photo)).permute(2, 0, 1)
    sources = [path, str(path), data, bytearray(data), "-", Image.fromarray(photo), photo, unit(photo)]
    sources += [unit(photo).astype(np.float64), photo.astype(np.uint16) * 257, tensor, tensor[None].double()]
    for source in sources:
        assert np.array_equal(rgb(read(source)), unit(photo)), type(source)


def test_a_picture_that_was_read_is_given_back(photo):
    """It need not be asked whether an input was read already."""
    picture = read(photo)
    assert read(picture) is picture


def test_source_remembers_where_the_picture_came_from(photo, tmp_path, encoded):
    """Name, path, hash, resolution and format of the file are kept."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(data := encoded(photo, "JPEG", dpi=(300, 200)))
    source = read(path).source
    assert (source.name, source.path, source.format, source.dpi) == ("photo.jpg", path, "JPEG", (300, 200))
    assert source.sha256 == hashlib.sha256(data).hexdigest() == hash_file(path)


def test_pictures_without_a_file_have_a_name_of_their_own(photo, encoded, monkeypatch):
    """Bytes, standard input and pixels in memory have no path."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encoded(photo))))
    sources = {"bytes": encoded(photo), "stdin": "-", "array": photo, "PIL image": Image.fromarray(photo)}
    for name, given in {**sources, "tensor": torch.zeros(3, 2, 2)}.items():
        source = read(given).source
        assert (source.name, source.path) == (name, None)


def test_arrays_are_hashed_by_their_pixels(photo):
    """The same pixels have the same hash, in whatever memory layout."""
    assert read(photo).source.sha256 == hashlib.sha256(photo.tobytes()).hexdigest()
    assert read(np.asfortranarray(photo)).source.sha256 == read(photo).source.sha256
    assert read(255 - photo).source.sha256 != read(photo).source.sha256


def test_a_tensor_is_copied():
    """Changing the tensor afterwards does not change the picture."""
    tensor = torch.zeros(3, 4, 4)
    picture = read(tensor)
    tensor += 1
    assert picture.pixels.max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied_and_reset(photo, *, kind, orientation, encoded, rgb, unit):
    """The picture is upright and its EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    picture = read(encoded(photo, kind, exif=exif, **({"quality": 97} if kind in ("JPEG", "WEBP", "AVIF") else {})))
    expected = UPRIGHT[orientation](photo)
    assert picture.shape == expected.shape[:2]
    assert np.abs(rgb(picture) - unit(expected)).max() < 12 / 255
    kept = Image.Exif()
    kept.load(picture.source.exif)
    assert (kept[0x0112], kept[0x010F]) == (1, "Maker")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_to_16_bits_and_alpha(orientation, rgb, unit):
    """The alpha channel turns with the colors."""
    samples = np.random.default_rng(0).integers(20_000, 65_536, (5, 7, 4)).astype(np.uint16)
    tagged = pyvips.Image.new_from_array(samples, interpretation="rgb16").copy()
    tagged.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    for suffix in (".tif", ".png"):
        picture = read(tagged.write_to_buffer(suffix))
        upright = unit(UPRIGHT[orientation](samples))
        assert np.array_equal(rgb(picture), upright[..., :3]), suffix
        assert np.array_equal(picture.alpha[0, 0].numpy(), upright[..., 3]), suffix


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_color_becomes_alpha(mode, encoded):
    """Palette entries and single colors marked as transparent are transparent."""
    image = Image.new("L", (6, 4), 255)
    image.paste(0, (0, 0, 3, 4))
    image = image.convert(mode)
    key = image.getpixel((0, 0))
    picture = read(encoded(image, "PNG", transparency=key))
    assert picture.alpha[0, 0, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert (picture.pixels == 1).all()


def test_an_opaque_alpha_channel_is_dropped(photo):
    """Alpha that hides nothing is no alpha."""
    assert read(np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])).alpha is None


def test_a_picture_with_nothing_to_see_is_refused(photo):
    """Fully transparent pictures have no colors to work with."""
    with pytest.raises(ImageError, match="transparent everywhere"):
        read(np.dstack([photo, np.zeros(photo.shape[:2], np.uint8)]))


def test_a_profile_changes_the_colors_and_is_remembered(photo, display_p3, encoded, rgb, unit):
    """The same numbers in a wide gamut are more colorful in sRGB."""
    picture = read(encoded(photo, "PNG", icc_profile=display_p3))
    assert picture.source.icc == display_p3
    spread = np.ptp(rgb(picture), axis=2) - np.ptp(unit(photo), axis=2)
    assert spread.min() > -2 / 255
    assert spread.max() > 10 / 255


def test_white_is_white_in_every_rgb_profile(encoded, display_p3):
    """The conversion is relative to the white point, and neither end of the scale is lost."""
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    pixels = read(encoded(ends, "PNG", icc_profile=display_p3)).pixels[0, :, 0]
    assert (pixels[:, 0] < 0.5 / 255).all()
    assert (pixels[:, 1] > 1 - 0.1 / 255).all()


def test_a_gray_picture_with_a_profile_is_read(encoded, linear_gray):
    """Half the light is a lighter gray than half the level."""
    picture = read(encoded(np.full((4, 4), 128, np.uint8), "PNG", icc_profile=linear_gray))
    assert picture.source.gray
    assert (picture.pixels - 0.7366).abs().max() < 1 / 255


def test_an_srgb_profile_changes_nothing(photo, encoded, rgb, unit):
    """Pictures tagged as sRGB keep every level."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read(encoded(photo, "PNG", icc_profile=icc))
    assert np.array_equal(rgb(picture), unit(photo))
    assert picture.source.icc == icc


def test_cmyk_jpeg_with_and_without_profile(paper_cmyk, encoded, rgb):
    """White paper is white and a red patch red, so Adobe's inverted samples are turned back."""
    cmyk = np.zeros((16, 32, 4), np.uint8)
    cmyk[:, 16:, 1:3] = 255
    image = Image.frombytes("CMYK", (32, 16), cmyk.tobytes())
    for options in ({}, {"icc_profile": paper_cmyk}):
        picture = read(encoded(image, "JPEG", quality=98, **options))
        assert rgb(picture)[:, :12].min() > 0.98
        red, green, blue = rgb(picture)[:, 20:].mean(axis=(0, 1))
        assert red > 0.8
        assert max(green, blue) < 0.2


def test_profiles_that_do_not_fit_are_refused(photo, paper_cmyk, display_p3, encoded):
    """Neither a profile of other channels nor a damaged one is quietly ignored."""
    for icc in (paper_cmyk, b"junk" * 40, display_p3.replace(b"rTRC", b"xTRC")):
        with pytest.raises(ImageError, match=r"profile|damaged"):
            read(encoded(photo, "PNG", icc_profile=icc))


def test_only_descriptive_exif_is_taken_over(photo, encoded):
    """Camera, exposure and place stay; the size, previews and maker notes of the original do not."""
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    exif[0x8769] = {0x829A: 0.02, 0x927C: b"note", 0xA002: 56}
    exif[0x8825] = {1: "N", 2: (48.0, 31.0, 0.0)}
    kept = Image.Exif()
    kept.load(read(encoded(photo, "JPEG", exif=exif)).source.exif)
    assert kept[0x0110] == "Camera"
    assert dict(kept.get_ifd(0x8769)) == {0x829A: 0.02}
    assert kept.get_ifd(0x8825)[2] == (48.0, 31.0, 0.0)


def test_a_resolution_kept_in_exif_is_found(photo, encoded):
    """WebP has no other place for it."""
    exif = Image.Exif()
    exif.update({0x011A: 100.0, 0x011B: 50.0, 0x0128: 3})
    assert read(encoded(photo, "WEBP", exif=exif)).source.dpi == (254, 127)


def test_missing_files_folders_and_devices_are_refused(tmp_path):
    """Each has its own sentence, which names the path."""
    for path, sentence in [
        (tmp_path / "none.png", "none.png does not exist"),
        (tmp_path, "is a folder"),
        ("/dev/zero", "is a device"),
        ("a\0b.png", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ]:
        with pytest.raises(ImageError, match=sentence) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_that_may_not_be_read_is_refused(photo, tmp_path, encoded):
    """Permissions get a sentence of their own."""
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(photo))
    path.chmod(0)
    was_root = os.geteuid() == 0
    try:
        if was_root:
            os.seteuid(65534)
        with pytest.raises(ImageError, match="may not be read"):
            read(path)
    finally:
        if was_root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 8, 8), np.uint8), r"shape \(3, 8, 8\)"),
        (np.zeros(8, np.uint8), r"shape \(8,\)"),
        (np.zeros((0, 8, 3), np.uint8), "8 x 0 pixels"),
        (np.zeros((8, 8, 3), np.int32), "array of int32"),
        (np.zeros((8, 8, 3), bool), "array of bool"),
        (np.full((8, 8, 3), 255.0), "between 255 and 255"),
        (np.full((8, 8), np.nan), "nan"),
        (np.full((8, 8, 4), -0.1), "between -0.1"),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, sentence):
    """Shape, type and range are checked."""
    with pytest.raises(ImageError, match=sentence):
        read(array)


def test_tensors_out_of_range_and_other_objects_are_refused():
    """0 to 255 in floating point is a frequent mistake; a list is no picture."""
    with pytest.raises(ImageError, match="between 0 and 255"):
        read(torch.tensor([0.0, 255.0, 7.0]).view(3, 1, 1))
    with pytest.raises(ImageError, match="type list"):
        read([[1, 2], [3, 4]])


def test_plain_8_bit_work_does_not_load_libvips(photo, tmp_path, encoded):
    """Reading and writing everyday files does without it, and so does the import."""
    (tmp_path / "in.jpg").write_bytes(encoded(photo, "JPEG"))
    script = (
        "import sys; from impasto.images import read, write; p = read('in.jpg');"
        "[write(n, p.pixels, like=p) for n in ('a.png', 'a.jpg', 'a.webp', 'a.avif')]; sys.exit('pyvips' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_resolution_turns_with_the_picture(photo, kind, orientation, encoded):
    """Across the stored rows is down the upright picture where it lies on its side."""
    exif = Image.Exif()
    exif.update({0x0112: orientation, 0x011A: 100.0, 0x011B: 200.0, 0x0128: 2})
    found = read(encoded(photo, kind, exif=exif, **({} if kind == "WEBP" else {"dpi": (100, 200)}))).source.dpi
    assert found == pytest.approx((100, 200) if orientation < 5 else (200, 100), rel=1e-3)


def test_both_sides_of_a_resolution_in_exif_are_read(photo, encoded):
    """A JPEG may say it there alone, and say fractions that its header rounds."""
    exif = Image.Exif()
    exif.update({0x011A: 100.0, 0x011B: 200.0, 0x0128: 2})
    assert read(encoded(photo, "JPEG", exif=exif)).source.dpi == (100, 200)
    exif.update({0x011A: 72.5, 0x011B: 300.25})
    assert read(encoded(photo, "JPEG", exif=exif, dpi=(72, 300))).source.dpi == pytest.approx((72.5, 300.25))
    assert read(encoded(photo, "JPEG", dpi=(96, 48))).source.dpi == (96, 48)
    assert read(encoded(photo, "JPEG")).source.dpi is None


@pytest.mark.parametrize("count", [0, -1, -2835, -(2**31)])
def test_a_resolution_below_zero_is_none(photo, encoded, count):
    """BMP counts pixels per meter with a sign."""
    data = bytearray(encoded(photo, "BMP", dpi=(72, 72)))
    assert read(bytes(data)).source.dpi == pytest.approx((72, 72), rel=1e-3)
    data[38:46] = struct.pack("<ii", count, count)
    assert read(bytes(data)).source.dpi is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_rounding_adds_to_an_array_is_cut_off(dtype):
    """A step or two beyond 0 and 1; what is beyond that is a mistake."""
    step = max(np.finfo(dtype).eps, np.finfo(np.float32).eps)
    values = np.array([[-step, 0, 0.5, 1, 1 + step, 1 + 2 * step]], dtype)
    assert read(values).pixels[0, 0, 0].tolist() == [0, 0, 0.5, 1, 1, 1]
    assert read(np.full((2, 2, 4), 1 + step, dtype)).alpha is None
    for far in (1 + 10 * step, -10 * step):
        with pytest.raises(ImageError, match="is needed for floating point; clip or scale"):
            read(np.full((2, 2), far, dtype))


def test_an_array_of_doubles_that_were_singles_is_read():
    """1.0000001 is what float32 makes of a one that was computed."""
    assert read(np.full((2, 2, 3), 1.0000001)).pixels.max() == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_of_every_floating_point_type_are_read(dtype):
    """With their rounding cut off, and hashed by their bytes."""
    step = max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps)
    pixels = torch.tensor([0, 0.5, 1 + step], dtype=dtype).view(3, 1, 1)
    picture = read(pixels)
    assert picture.pixels.flatten().tolist() == [0, 0.5, 1]
    assert picture.source.sha256 == hashlib.sha256(bytes(pixels.view(torch.uint8).flatten().tolist())).hexdigest()
    assert read(pixels.permute(0, 2, 1)).source.sha256 == picture.source.sha256
    with pytest.raises(ImageError, match="clip or scale"):
        read(torch.full((3, 2, 2), 1.2, dtype=dtype))


@pytest.mark.parametrize("dtype", [">u2", ">f4", ">f8", "<u2"])
def test_arrays_of_either_byte_order_are_read(dtype):
    """As files of other machines have them."""
    most = 65535 if dtype.endswith("u2") else 1
    picture = read(np.full((2, 2), most, dtype))
    assert (picture.pixels == 1).all()
    assert picture.source.depth == (16 if most == 65535 else 8)


def test_comments_are_texts(photo, encoded):
    """Of JPEG and GIF, in UTF-8 or Latin letters."""
    for comment in ("Grüße".encode(), "Grüße".encode("latin-1")):
        assert read(encoded(photo, "JPEG", comment=comment)).source.texts == (("Comment", "Grüße"),)
    still = Image.fromarray(photo).quantize(8)
    assert read(encoded(still, "GIF", comment=b"hello")).source.texts == (("Comment", "hello"),)


def test_pil_images_say_what_their_files_said(photo, encoded):
    """An image that is opened is as good as its file."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    info = PngInfo()
    info.add_text("Title", "Grüße")
    data = encoded(photo, "PNG", exif=exif, pnginfo=info)
    with Image.open(io.BytesIO(data)) as image:
        picture = read(image)
    assert picture.source.texts == read(data).source.texts == (("Title", "Grüße"),)
    assert picture.source.exif == read(data).source.exif


def test_damaged_metadata_is_noted(photo, encoded):
    """The picture is read, and a sentence says what was not."""
    assert "EXIF of The given data is damaged" in read(encoded(photo, "JPEG", exif=b"Exif\0\0junk")).source.notes[0]
    assert "XMP of bytes is damaged" in read(encoded(photo, "WEBP", xmp=b"<x:xmpmeta")).source.notes[0]
    deep = b"<a>" * 30_000 + b"</a>" * 30_000
    packet = (
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description>%s</r:Description></r:RDF>' % deep
    )
    assert read(encoded(photo, "WEBP", xmp=packet)).source.xmp is None
