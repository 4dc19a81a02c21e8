"""TIFF files of several directories, and what their samples mean."""

import io

import numpy as np
import pytest
import tifffile
import torch

from impasto.errors import ImageError
from impasto.images import read
from impasto.images.decoding import check_header

RNG = np.random.default_rng(0)
FULL = RNG.integers(0, 256, (40, 56, 3)).astype(np.uint8)
HALF, QUARTER = FULL[::2, ::2], FULL[::4, ::4]


def file(*pages, bigtiff=False):
    """The bytes of a TIFF of pages given as (samples, options)."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=bigtiff) as tiff:
        for samples, options in pages:
            tiff.write(samples, **{"photometric": "rgb", "metadata": None, **options})
    return stream.getvalue()


def is_full(picture):
    """Whether the picture is the one of all pixels, exactly."""
    return torch.equal(picture.pixels * 255, torch.from_numpy(FULL).permute(2, 0, 1)[None].float())


ONE_PICTURE = {
    "thumbnail first": [(HALF, {"subfiletype": 1}), (FULL, {})],
    "thumbnail behind": [(FULL, {}), (QUARTER, {"subfiletype": 1})],
    "mask behind": [(FULL, {}), (FULL[..., 0] > 99, {"subfiletype": 4, "photometric": 4})],
    "reduced mask": [(FULL, {}), (FULL[::2, ::2, 0] > 99, {"subfiletype": 5, "photometric": 4})],
    "pyramid": [(FULL, {}), (HALF, {"subfiletype": 1}), (QUARTER, {"subfiletype": 1})],
    "pyramid without marks": [(FULL, {}), (HALF, {}), (QUARTER, {})],
    "pyramid that skips a size": [(FULL, {}), (QUARTER, {})],
    "in a subdirectory": [(QUARTER, {"subfiletype": 1, "subifds": 2}), (FULL, {}), (HALF, {"subfiletype": 1})],
    "reductions below": [(FULL, {"subifds": 1}), (HALF, {"subfiletype": 1})],
    "alone, though marked": [(FULL, {"subfiletype": 1})],
}


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("pages", ONE_PICTURE.values(), ids=ONE_PICTURE)
def test_the_picture_is_found_among_its_reductions_and_masks(pages, bigtiff):
    """Wherever it stands in the file, and never the thumbnail."""
    assert is_full(read(file(*pages, bigtiff=bigtiff)))


def test_several_pictures_are_refused():
    """Pages of one size, and of sizes that are no halves, are pictures of their own."""
    for other in (255 - FULL, FULL[:30, :30], FULL[:, ::2]):
        with pytest.raises(ImageError, match="holds 2 frames or pages but one"):
            read(file((FULL, {}), (other, {})))
    with pytest.raises(ImageError, match="holds 2 frames"):
        read(file((HALF, {"subfiletype": 1}), (QUARTER, {"subfiletype": 1})))


SENSOR = RNG.integers(0, 4096, (40, 56)).astype(np.uint16)
RAWS = {
    "NEF": [(QUARTER, {"subfiletype": 1, "subifds": 2}), (HALF, {"subfiletype": 1}), (SENSOR, {"photometric": 32803})],
    "linear": [(FULL, {"photometric": 34892})],
    "DNG": [(QUARTER, {"subfiletype": 1, "extratags": [(50706, 1, 4, b"\1\4\0\0", True)]})],
}
MAGIC = {
    "RAF": b"FUJIFILMCCD-RAW 0201",
    "ORF": b"IIRO\x08\0\0\0",
    "RW2": b"IIU\0\x18\0\0\0",
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\x01",
    "CR2": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
}


@pytest.mark.parametrize("data", [*(file(*pages) for pages in RAWS.values()), *MAGIC.values()], ids=[*RAWS, *MAGIC])
def test_a_sensors_samples_are_refused_by_their_name(data):
    """The sentence says that it is RAW and what to do; no preview is taken for the photo."""
    with pytest.raises(ImageError, match=r"RAW photo.*export it as JPEG, PNG or TIFF"):
        read(data)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", [[0], [0, 0], None])
def test_a_channel_that_is_not_called_transparency_is_none(dtype, kind):
    """Infrared of a scanner is left out, with a note."""
    channels = 3 + len(kind or [0])
    samples = np.full((8, 8, channels), 100, dtype)
    picture = read(file((samples, {"extrasamples": kind, "planarconfig": "contig"})))
    if kind is None:  # tifffile says what it is
        assert picture.alpha is not None
        return
    assert picture.alpha is None
    assert "not marked as transparency" in picture.source.notes[0]
    assert (picture.pixels == np.float32(100 / np.iinfo(dtype).max)).all()


def test_transparency_is_found_among_other_channels():
    """Behind an infrared channel too."""
    samples = np.full((8, 8, 5), 100, np.uint8)
    samples[..., 3], samples[..., 4] = 7, 51
    picture = read(file((samples, {"extrasamples": [0, 2], "planarconfig": "contig"})))
    assert (picture.alpha == np.float32(0.2)).all()
    assert len(picture.source.notes) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colors_stored_as_seen_on_black_become_their_own(dtype):
    """Premultiplied samples are divided by their share."""
    most = np.iinfo(dtype).max
    samples = np.zeros((8, 8, 4), dtype)
    samples[..., :3], samples[..., 3] = most // 5, most // 5 * 2
    picture = read(file((samples, {"extrasamples": [1], "planarconfig": "contig"})))
    assert (picture.pixels - 0.5).abs().max() < 1 / 255
    assert (picture.alpha - 0.4).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_may_be_zero_and_colors_may_stand_in_a_palette(dtype):
    """The photometric interpretation says what a number means."""
    most = np.iinfo(dtype).max
    gray = np.full((8, 8), most // 5, dtype)
    assert (read(file((gray, {"photometric": "miniswhite"}))).pixels - 0.8).abs().max() < 1e-5
    assert (read(file((gray, {"photometric": "minisblack"}))).pixels - 0.2).abs().max() < 1e-5
    palette = np.zeros((3, 256), np.uint16)
    palette[0, 51] = 65535
    indices = np.full((8, 8), 51, np.uint8)
    found = read(file((indices, {"photometric": "palette", "colormap": palette})))
    assert found.pixels[0, :, 0, 0].tolist() == [1, 0, 0]


def test_other_color_spaces_are_named():
    """Lab has no sentence of damage."""
    with pytest.raises(ImageError, match="stores its colors as CIELAB; save it as RGB"):
        read(file((FULL, {"photometric": "cielab"})))


def test_directories_in_a_circle_and_on_top_of_one_another_end():
    """A trap for readers is damage."""
    entry = b"\0\1\4\0\1\0\0\0\1\0\0\0"
    circle = b"II*\0\x08\0\0\0\1\0" + entry + b"\x08\0\0\0"
    with pytest.raises(ImageError, match="circle"):
        read(circle)


def test_a_header_tells_what_is_no_single_picture():
    """Before any sample is decoded, for queues of jobs."""
    check_header(file((FULL, {}), (HALF, {"subfiletype": 1})), "a.tif", 40 * 56)
    for data, most, sentence in [
        (file(*RAWS["NEF"]), 10**6, "a.tif is a RAW photo"),
        (file((FULL, {}), (255 - FULL, {})), 10**6, "a.tif holds 2 frames"),
        (file((FULL, {})), 40 * 56 - 1, "a.tif has 56 x 40 pixels, above the limit"),
        (b"II*\0junk", 10**6, "a.tif is damaged"),
        (b"junk", 10**6, "a.tif is not a picture"),
    ]:
        with pytest.raises(ImageError, match=sentence):
            check_header(data, "a.tif", most)
