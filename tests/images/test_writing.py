"""Writing pictures: what a file takes over, and that it is complete or untouched."""

import io
import os
import shutil
import stat
import sys
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import ImageError, SettingsError
from impasto.images import SUFFIXES, check_writable, quantize, read, to_array, write

LOSSLESS = [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".webp", 8)]
EVERY = [*LOSSLESS, (".jpg", 8), (".avif", 8)]


def close(first, second, levels):
    """Whether two pictures differ by at most so many 8-bit levels."""
    return bool(((first - second).abs() * 255).max() <= levels + 1e-3)


@pytest.fixture
def source(photo, display_p3, tmp_path):
    """A photo with everything that a copy takes over."""
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "Maker", 0x8769: {0x829A: 0.02}, 0x8825: {1: "N", 2: (48.0, 31.0, 0.0)}})
    options = {"quality": 98, "subsampling": 0, "dpi": (300, 300)}
    Image.fromarray(photo).save(tmp_path / "photo.jpg", exif=exif, icc_profile=display_p3, **options)
    return read(tmp_path / "photo.jpg")


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    depth=st.sampled_from([8, 16]),
    suffix=st.sampled_from(["PNG", "TIFF"]),
    has_alpha=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_lossless_round_trip_is_exact(*, height, width, depth, suffix, has_alpha, seed):
    """What is read back is bit for bit what quantize() announced, from 1 x 1 pixels upward."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(1, 3, height, width, generator=generator)
    alpha = 0.25 + 0.7 * torch.rand(1, 1, height, width, generator=generator) if has_alpha else None
    stream = io.BytesIO()
    write(stream, pixels, alpha=alpha, depth=depth, format=suffix)
    picture = read(stream.getvalue())
    assert picture.source.depth == depth
    assert torch.equal(picture.pixels, quantize(pixels, depth))
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None:
        assert torch.equal(picture.alpha, quantize(alpha, depth))


@pytest.mark.parametrize(("suffix", "depth"), LOSSLESS)
def test_other_programs_read_the_same_levels(pixels, tmp_path, suffix, depth):
    """Pillow and tifffile see the levels that were meant."""
    path = tmp_path / f"out{suffix}"
    write(path, pixels, depth=depth, quality=100, recipe={"a": 1}, parameters="b")
    expected = (quantize(pixels, depth)[0].permute(1, 2, 0) * (2**depth - 1)).round().numpy().astype(int)
    if suffix == ".tif":
        assert np.array_equal(tifffile.imread(path), expected)
    elif depth == 8:
        assert np.array_equal(np.asarray(Image.open(path)), expected)
    with Image.open(path) as image:
        image.verify()


@pytest.mark.parametrize(("suffix", "depth"), EVERY)
def test_a_copy_keeps_the_colors_of_a_source_with_a_profile(source, tmp_path, suffix, depth):
    """Colors survive sRGB and the way back into the source's profile within two levels, lossy formats six."""
    path = tmp_path / f"copy{suffix}"
    write(path, source.pixels, like=source, depth=depth, quality=100)
    copy = read(path)
    assert copy.source.icc == source.source.icc
    assert close(copy.pixels, source.pixels, 2 if (suffix, depth) in LOSSLESS else 6)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_profile_is_not_only_attached_but_applied(source, tmp_path, depth):
    """The stored numbers are those of the original file, not its sRGB numbers under a foreign profile."""
    path = tmp_path / "copy.tif"
    write(path, source.pixels, like=source, depth=depth)
    with Image.open(source.source.path) as original:
        stored = np.rot90(np.asarray(original), -1)
    assert np.abs(tifffile.imread(path) / (2**depth - 1) * 255 - stored).max() <= 1.01
    assert np.abs(source.pixels[0].permute(1, 2, 0).numpy() * 255 - stored).max() > 5


@pytest.mark.parametrize(("suffix", "depth"), EVERY)
def test_a_copy_keeps_exif_and_resolution(source, tmp_path, suffix, depth):
    """Camera, exposure, place and resolution are those of the source, the orientation is 1."""
    path = tmp_path / f"copy{suffix}"
    write(path, source.pixels, like=source, depth=depth)
    copy = read(path)
    assert copy.shape == source.shape
    assert copy.source.dpi == pytest.approx((300, 300), rel=1e-4)
    exif = Image.Exif()
    exif.load(copy.source.exif)
    assert (exif[0x010F], exif[0x0112]) == ("Maker", 1)
    assert exif.get_ifd(0x8769)[0x829A] == pytest.approx(0.02)
    assert exif.get_ifd(0x8825)[2] == (48.0, 31.0, 0.0)


@pytest.mark.parametrize(("suffix", "depth"), EVERY)
def test_original_exif_can_be_left_out(source, tmp_path, suffix, depth):
    """Where the photo was taken is then not in the file, the recipe is."""
    path = tmp_path / f"copy{suffix}"
    write(path, source.pixels, like=source, depth=depth, original_exif=False, recipe={"steps": 3}, parameters="three")
    data = path.read_bytes()
    assert b"Maker" not in data
    assert b"steps" in data


@pytest.mark.parametrize(("suffix", "depth"), EVERY)
def test_without_metadata_nothing_but_pixels_and_profile_is_written(source, tmp_path, suffix, depth):
    """Neither EXIF nor recipe nor resolution: the file is that of a picture that never had any."""
    path, bare = tmp_path / f"copy{suffix}", tmp_path / f"bare{suffix}"
    write(path, source.pixels, like=source, depth=depth, metadata=False, recipe={"steps": 3}, parameters="three")
    nameless = replace(source.source, exif=None, dpi=None)
    write(bare, source.pixels, like=replace(source, source=nameless), depth=depth)
    assert path.read_bytes() == bare.read_bytes()
    copy = read(path)
    assert (copy.source.exif, copy.source.dpi, copy.source.icc) == (None, None, source.source.icc)
    with Image.open(path) as image:
        assert not {"exif", "xmp", "parameters", "impasto"} & image.info.keys()
        described = {0x010E, 0x0131, 0x0132, 0x011A, 0x011B, 0x0128, 0x02BC, 0x8769, 0x8825}
        assert not described & set(image.getexif())


def test_a_16_bit_source_gives_a_16_bit_copy_where_the_format_can(tmp_path, pixels):
    """Depth follows the source unless asked for otherwise; JPEG has 8 bits."""
    like = replace(read(pixels), source=replace(read(pixels).source, depth=16))
    depths = {}
    for suffix in SUFFIXES:
        write(tmp_path / f"out{suffix}", pixels, like=like)
        depths[suffix] = read(tmp_path / f"out{suffix}").source.depth
    assert {suffix for suffix, depth in depths.items() if depth == 16} == {".png", ".tif", ".tiff"}
    write(tmp_path / "out.png", pixels, like=like, depth=8)
    assert read(tmp_path / "out.png").source.depth == 8


def test_profiles_of_gray_and_cmyk_sources_are_not_attached(tmp_path, pixels, paper_cmyk):
    """A style has colors: the copy is sRGB."""
    like = replace(read(pixels), source=replace(read(pixels).source, icc=paper_cmyk))
    write(tmp_path / "out.png", pixels, like=like)
    copy = read(tmp_path / "out.png")
    assert copy.source.icc is None
    assert torch.equal(copy.pixels, quantize(pixels))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
def test_alpha_of_the_source_is_attached_at_the_size_of_the_pixels(tmp_path, pixels, suffix):
    """A copy of half the size is transparent in the same places."""
    alpha = torch.zeros(1, 1, 48, 64)
    alpha[..., 32:] = 1
    like = replace(read(torch.zeros(3, 48, 64)), alpha=alpha)
    write(tmp_path / f"out{suffix}", pixels, like=like)
    copy = read(tmp_path / f"out{suffix}").alpha
    assert copy.shape == (1, 1, 24, 32)
    assert copy[..., :15].max() == 0
    assert copy[..., 17:].min() == 1


def test_an_opaque_alpha_is_not_written(tmp_path, pixels):
    """Even JPEG takes it, for there is nothing to store."""
    write(tmp_path / "out.jpg", pixels, alpha=torch.ones(1, 1, 24, 32))
    assert read(tmp_path / "out.jpg").alpha is None


def test_a_picture_that_is_not_changed_comes_back_unchanged(tmp_path, photo, display_p3):
    """Of an 8-bit file with a profile nearly every stored number is the same after reading and writing."""
    Image.fromarray(photo).save(tmp_path / "in.png", icc_profile=display_p3)
    picture = read(tmp_path / "in.png")
    write(tmp_path / "out.png", picture.pixels, like=picture)
    difference = np.abs(np.asarray(Image.open(tmp_path / "out.png")).astype(int) - photo)
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.99


def test_colors_of_transparent_pixels_are_kept(tmp_path, pixels):
    """Lossless WebP stores what is under them too."""
    write(tmp_path / "out.webp", pixels, alpha=torch.zeros(1, 1, 24, 32), quality=100)
    stored = np.asarray(Image.open(tmp_path / "out.webp"))[..., :3]
    assert np.array_equal(stored, to_array(pixels))


def test_avif_keeps_the_color_of_every_pixel(tmp_path):
    """Stripes of one pixel in red and blue do not run into each other."""
    stripes = torch.zeros(1, 3, 16, 16)
    stripes[:, 0, :, ::2], stripes[:, 2, :, 1::2] = 1, 1
    write(tmp_path / "out.avif", stripes)
    assert (read(tmp_path / "out.avif").pixels - stripes).abs().max() < 0.15


def test_jpeg_keeps_the_color_of_every_pixel(tmp_path, pixels):
    """High quality means 4:4:4: no component is subsampled."""
    write(tmp_path / "out.jpg", pixels)
    with Image.open(tmp_path / "out.jpg") as image:
        assert {(h, v) for _, h, v, _ in image.layer} == {(1, 1)}


def test_quality_takes_effect(tmp_path, pixels):
    """A lower quality makes a smaller file in every lossy format."""
    for suffix in (".jpg", ".webp", ".avif"):
        sizes = []
        for quality in (20, 95):
            write(tmp_path / f"out{suffix}", pixels, quality=quality)
            sizes.append((tmp_path / f"out{suffix}").stat().st_size)
        assert sizes[0] < sizes[1] / 2, suffix


def test_a_stream_is_png_unless_a_format_is_named(pixels):
    """Streams have no extension to tell."""
    for kind, magic in ((None, b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("TIFF", b"II*\0")):
        stream = io.BytesIO()
        write(stream, pixels, format=kind)
        assert stream.getvalue().startswith(magic)


def test_a_broken_stream_is_an_image_error(pixels):
    """A pipe that nobody reads, or a full disk behind it."""

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(ImageError, match="No space left"):
        write(Full(), pixels)


HOPELESS = [
    ("none/out.png", {}, "does not exist; create it first"),
    ("folder.png", {}, "is a folder"),
    ("out.xyz", {}, "unknown extension .xyz; end it with one of .png, .jpg"),
    ("out", {}, "has no extension"),
    ("out.jpg", {"depth": 16}, "JPEG holds 8 bits per sample but 16 were asked for"),
    ("fifo.png", {}, "not a regular file"),
    ("x" * 300 + ".png", {}, "cannot be written"),
    ("a\0b.png", {}, "cannot be written"),
]


@pytest.mark.parametrize(("name", "options", "sentence"), HOPELESS)
def test_what_cannot_be_written_is_refused_before_and_after_the_run(tmp_path, pixels, name, options, sentence):
    """check_writable() raises the very sentence that write() would raise later."""
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "fifo.png")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ImageError, match=sentence) as early:
        check_writable(tmp_path / name, **options)
    with pytest.raises(ImageError, match=sentence) as late:
        write(tmp_path / name, pixels, **options)
    assert str(early.value) == str(late.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that not even root can write to")
def test_a_folder_that_takes_no_files_is_refused(pixels):
    """Permissions are tried, not guessed: the process file system refuses root as well."""
    for attempt in (check_writable, lambda p: write(p, pixels)):
        with pytest.raises(ImageError, match=r"/proc/out\.png cannot be written"):
            attempt("/proc/out.png")


def test_write_protected_files_are_respected(tmp_path, pixels, monkeypatch):
    """A file that its owner protected is not replaced, though the folder would allow it."""
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ImageError, match="write-protected"):
        write(path, pixels)
    assert path.read_bytes() == b"precious"


def test_transparency_does_not_fit_into_jpeg(tmp_path, pixels):
    """The formats that can are named, before the run and at its end."""
    like = replace(read(pixels), alpha=torch.zeros(1, 1, 24, 32))
    for attempt in (lambda p: check_writable(p, like=like), lambda p: write(p, pixels, like=like)):
        with pytest.raises(ImageError, match="transparency; write one of PNG, WEBP, TIFF, AVIF"):
            attempt(tmp_path / "out.jpg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_copy_that_would_be_transparent_everywhere_is_refused(tmp_path, pixels, suffix):
    """One opaque pixel of many vanishes in a small copy of 8 bits; nobody could see or read that, so a run does not begin."""
    alpha = torch.zeros(1, 1, 480, 640)
    alpha[..., 7, 9] = 1
    like = replace(read(torch.zeros(3, 480, 640)), alpha=alpha)
    small, path = pixels[..., :12, :16], tmp_path / f"out{suffix}"
    for attempt in (lambda: check_writable(path, like=like, shape=(12, 16)), lambda: write(path, small, like=like)):
        with pytest.raises(
            ImageError, match="transparent everywhere at 16 x 12 pixels of 8 bits; choose a larger size"
        ):
            attempt()
    assert not list(tmp_path.iterdir())
    check_writable(path, like=like, shape=(480, 640))
    write(path, torch.zeros(3, 480, 640), like=like)
    assert read(path).alpha.sum() == 1


def test_sixteen_bits_hold_what_eight_lose(tmp_path, pixels):
    """The alpha channel of a faint picture is not refused where the file has the levels for it."""
    like = replace(read(pixels), alpha=torch.full((1, 1, 24, 32), 1e-3))
    with pytest.raises(ImageError, match="of 8 bits"):
        write(tmp_path / "out.png", pixels, like=like)
    write(tmp_path / "out.png", pixels, like=like, depth=16)
    assert read(tmp_path / "out.png").alpha.max() == round(65.535) / 65535


def test_sizes_beyond_a_format_are_refused(tmp_path):
    """WebP ends at 16383 pixels."""
    with pytest.raises(ImageError, match="WEBP holds at most 16383 pixels a side but the picture has 16384 x 1"):
        write(tmp_path / "out.webp", torch.zeros(1, 3, 1, 16384))
    with pytest.raises(ImageError, match="16383"):
        check_writable(tmp_path / "out.webp", shape=(20_000, 10))
    write(tmp_path / "out.webp", torch.zeros(1, 3, 1, 16383))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quality": 0}, "quality of 0"),
        ({"quality": 101}, "quality of 101"),
        ({"depth": 12}, "depth of 12"),
        ({"format": "GIF"}, "format 'GIF' is unknown"),
        ({"recipe": {"a": object()}}, "not JSON"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path, pixels, options, sentence):
    """Nothing is written for them."""
    with pytest.raises(SettingsError, match=sentence):
        write(tmp_path / "out.png", pixels, **options)
    assert not list(tmp_path.iterdir())


def test_pixels_that_are_no_picture_are_refused(tmp_path):
    """A run that diverged leaves no file full of zeros, and alpha of another size is not guessed at."""
    with pytest.raises(ImageError, match="NaN"):
        write(tmp_path / "out.png", torch.full((1, 3, 4, 4), torch.nan))
    with pytest.raises(ImageError, match="resize"):
        write(tmp_path / "out.png", torch.zeros(1, 3, 4, 4), alpha=torch.zeros(1, 1, 5, 5))
    assert not list(tmp_path.iterdir())


def test_check_writable_leaves_no_trace(tmp_path):
    """An existing file stays as it is and a new one does not appear."""
    (tmp_path / "old.png").write_bytes(b"precious")
    check_writable(tmp_path / "old.png")
    check_writable(tmp_path / "new.png", depth=16, shape=(10, 10))
    assert [p.name for p in tmp_path.iterdir()] == ["old.png"]
    assert (tmp_path / "old.png").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("os.fsync", OSError(28, "No space left on device")),
        ("os.fsync", KeyboardInterrupt()),
        ("os.replace", OSError(5, "I/O")),
    ],
)
def test_a_failure_while_writing_leaves_the_old_file(tmp_path, pixels, monkeypatch, function, error):
    """On a full disk, an interruption or a failing rename the output is untouched and no temporary file stays."""
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")

    def fail(*_):
        raise error

    monkeypatch.setattr(function, fail)
    with pytest.raises(ImageError if isinstance(error, OSError) else KeyboardInterrupt):
        write(path, pixels)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]
    assert path.read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_file_larger_than_the_disk_allows_leaves_the_old_file(tmp_path, pixels):
    """A real limit of the operating system stops the write halfway."""
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(ImageError, match=r"out\.png cannot be written") as caught:
            write(path, pixels)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "large" in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]
    assert path.read_bytes() == b"precious"


def test_permissions_follow_the_umask_or_the_old_file(tmp_path, pixels):
    """A new file is as open as any other program's; a replaced one keeps its mode."""
    before = os.umask(0o027)
    try:
        write(tmp_path / "new.png", pixels)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o640
    (tmp_path / "new.png").chmod(0o604)
    write(tmp_path / "new.png", pixels)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o604


def test_a_link_stays_a_link(tmp_path, pixels):
    """The file it names is replaced."""
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    write(tmp_path / "link.png", pixels)
    assert (tmp_path / "link.png").is_symlink()
    assert torch.equal(read(tmp_path / "real.png").pixels, quantize(pixels))


def test_a_disk_without_room_is_refused_before_the_run(tmp_path, monkeypatch):
    """What cannot hold a tenth of the samples will not hold the picture."""
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    check_writable(tmp_path / "a.png", shape=(1000, 1000))
    for name in ("a.png", "a.dzi", "a.tif"):
        with pytest.raises(
            ImageError, match=r"has 1 MB left, and a \w+ of 4000 x 3000 pixels needs 3.63 MB or more; free"
        ):
            check_writable(tmp_path / name, shape=(3000, 4000))


def test_the_check_takes_what_writing_takes(tmp_path, pixels):
    """A quality out of range is found before the run, and a stream is left as it is."""
    with pytest.raises(SettingsError, match="quality of 0"):
        check_writable(tmp_path / "a.jpg", quality=0)
    stream = io.BytesIO()
    assert check_writable(stream, like=read(pixels), shape=(24, 32)) == ()
    assert not stream.getvalue()


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".dzi"])
def test_a_link_to_nowhere_is_followed_or_refused(tmp_path, pixels, suffix):
    """Into a folder that is there; where there is none, before the run."""
    (tmp_path / f"a{suffix}").symlink_to(tmp_path / "none" / f"b{suffix}")
    with pytest.raises(ImageError, match="does not exist; create it first"):
        check_writable(tmp_path / f"a{suffix}")
    (tmp_path / "none").mkdir()
    check_writable(tmp_path / f"a{suffix}")
    write(tmp_path / f"a{suffix}", pixels)
    assert (tmp_path / "none" / f"b{suffix}").is_file()


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".dzi"])
def test_a_name_of_256_letters_is_refused_before_the_run(tmp_path, pixels, suffix):
    """In one sentence."""
    path = tmp_path / ("x" * (256 - len(suffix)) + suffix)
    for attempt in (check_writable, lambda path: write(path, pixels)):
        with pytest.raises(ImageError, match="choose a shorter name"):
            attempt(path)


def test_a_failure_of_the_sources_words_is_told_and_the_picture_kept(tmp_path, pixels):
    """Whatever an encoder makes of them, the pixels are written."""
    like = read(pixels)
    like = replace(like, source=replace(like.source, xmp=b"<not xml"))
    left = write(tmp_path / "a.webp", pixels, like=like, recipe={"a": 1})
    assert "Left out of the WEBP file is all that the source says of itself" in left[0]
    assert read(tmp_path / "a.webp").shape == (24, 32)
