"""TIFF stacks of all kinds."""

import importlib.util
import lzma
import zlib

import numpy as np
import pytest
import pyvips
import tifffile
import torch
from PIL import Image

from impasto import volumes
from impasto.errors import MissingExtraError, VolumeError
from impasto.volumes.reading import holds_volume

STACK = (np.arange(5 * 16 * 24) % 251).astype(np.uint8).reshape(5, 16, 24)


def saved(path, pages, **options):
    """The path of a file of pages that Pillow has written."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, "TIFF", save_all=True, append_images=others, **options)
    return path


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_where_zero_is_white(tmp_path, kind, compression):
    """The network sees it white, and the file has zeros there again."""
    stack = STACK.astype(kind) * kind(200 if kind == np.uint16 else 1)
    top = float(stack.max())
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="miniswhite", compression=compression)
    volume = volumes.read(tmp_path / "a.tif", window=(0, top))
    assert volume.voxels[0, 0].numpy() == pytest.approx(1 - stack / top, abs=1e-6)
    assert np.array_equal(volume.samples(), stack)
    volumes.write(tmp_path / "b.tif", volume)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].photometric == 0
    assert torch.allclose(volumes.read(tmp_path / "b.tif", window=(0, top)).voxels, volume.voxels, atol=1e-6)


@pytest.mark.parametrize("name", ["b.nii", "b.npy"])
def test_where_no_format_says_that_zero_is_white_intensities_stay(tmp_path, name):
    """They are what was stored."""
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="miniswhite")
    volumes.write(tmp_path / name, volumes.read(tmp_path / "a.tif"))
    assert np.array_equal(volumes.read(tmp_path / name).samples(), STACK)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", ["tiff_lzw", "zstd", "packbits", "tiff_adobe_deflate"])
def test_other_compressions(tmp_path, kind, compression, inverted):
    """Of other programs, by whichever library can; zero is white or black as said."""
    stack = STACK.astype(kind) * kind(200 if kind == np.uint16 else 1)
    try:
        path = saved(tmp_path / "a.tif", stack, compression=compression, tiffinfo={262: 0} if inverted else {})
    except (OSError, RuntimeError):
        pytest.skip(f"Pillow was built without {compression}")
    volume = volumes.read(path, window=(0, int(stack.max())))
    shown = volume.voxels[0, 0].numpy() * stack.max()
    inverts = inverted and kind == np.uint16  # Pillow turns 8 bits round as it writes, and so what is seen stays
    assert shown == pytest.approx(stack.max() - stack.astype(float) if inverts else shown_of(stack, inverted), rel=1e-5)
    assert holds_volume(path)


def shown_of(stack, inverted):
    """What is seen of 8 bits within a window up to the stack's largest value, where they were stored turned round."""
    top = float(stack.max())
    return top - (255.0 - stack).clip(0, top) if inverted else stack.astype(float)


@pytest.mark.parametrize("kind", [np.int16, np.uint32, np.float32])
def test_lzw_of_other_types(tmp_path, kind):
    """Signed, wide and real, with the type that they have."""
    stack = STACK[0].astype(kind) * kind(99)
    image = pyvips.Image.new_from_array(np.concatenate([stack, stack]))
    image.tiffsave(str(tmp_path / "a.tif"), compression="lzw", page_height=len(stack))
    volume = volumes.read(tmp_path / "a.tif", window=(0, 3e4))
    assert volume.samples().dtype == kind
    assert volume.samples()[1] == pytest.approx(stack, rel=1e-6)


def test_jpeg_of_colors(tmp_path):
    """Chroma is turned into colors."""
    pages = np.zeros((4, 32, 32, 3), np.uint8)
    pages[..., 0], pages[..., 2] = 200, 40
    volume = volumes.read(saved(tmp_path / "a.tif", pages, compression="jpeg", quality=100))
    assert not volume.gray
    assert np.abs(volume.samples().astype(int) - pages).max() <= 3


def test_facsimiles(tmp_path):
    """Of one bit."""
    volume = volumes.read(saved(tmp_path / "a.tif", STACK > 100, compression="group4"))
    assert np.array_equal(volume.voxels[0, 0].numpy(), STACK > 100)


def test_what_a_decoder_says_of_a_damaged_stack_is_not_heard(tmp_path, capfd):
    """Its library writes on standard error itself; a sentence has the reason."""
    path = saved(tmp_path / "a.tif", STACK, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            start = page.dataoffsets[0]
            data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(MissingExtraError, match="it is damaged"):
        volumes.read(path)
    assert capfd.readouterr() == ("", "")


def test_what_nothing_decodes_names_the_package(tmp_path, monkeypatch):
    """And is not called damaged alone."""
    if importlib.util.find_spec("imagecodecs"):
        pytest.skip("the package is installed")
    path = saved(tmp_path / "a.tif", STACK, compression="tiff_lzw")
    for library, name in ((pyvips.Image, "new_from_buffer"), (Image, "open")):
        monkeypatch.setattr(library, name, lambda *_, **__: 1 / 0)
    with pytest.raises(MissingExtraError, match=r"compressed with LZW.*pip install imagecodecs"):
        volumes.read(path)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_colors_of_a_palette(tmp_path, compression):
    """Indices are looked up."""
    palette = [value for index in range(256) for value in (index, 255 - index, 7)]
    pages = []
    for page in STACK:
        image = Image.frombytes("P", page.shape[::-1], page.tobytes())
        image.putpalette(palette)
        pages.append(image)
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression=compression)
    volume = volumes.read(tmp_path / "a.tif")
    assert np.array_equal(volume.samples(), np.stack([STACK, 255 - STACK, np.full_like(STACK, 7)], axis=-1))


def test_colors_of_other_kinds_are_refused(tmp_path):
    """Of print, for example."""
    tifffile.imwrite(tmp_path / "a.tif", np.stack([STACK] * 4, axis=-1), photometric="separated")
    with pytest.raises(VolumeError, match=r"stored as SEPARATED.*convert it to RGB"):
        volumes.read(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("mark", [1, 4])
def test_pages_that_are_small_copies_or_masks_are_left_out(tmp_path, mark, compression):
    """Of any size, between the others or behind them."""
    options = {"photometric": "minisblack", "metadata": None, "compression": compression}
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in STACK:
            file.write(page, **options)
            file.write(page // 2, subfiletype=1, **options)
            file.write(page[::2, ::2], subfiletype=1, **options)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        for page in file.pages:
            if page.subfiletype:
                page.tags["NewSubfileType"].overwrite(mark)
    assert np.array_equal(volumes.read(tmp_path / "a.tif").samples(), STACK)


def test_one_picture_with_its_thumbnail_is_no_volume(tmp_path):
    """But a stack of pages that are all marked is one."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(STACK[0], photometric="minisblack", metadata=None)
        file.write(STACK[0] // 2, subfiletype=1, photometric="minisblack", metadata=None)
    assert not holds_volume(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        for page in STACK:
            file.write(page, subfiletype=1, photometric="minisblack", metadata=None)
    assert holds_volume(tmp_path / "b.tif")
    assert np.array_equal(volumes.read(tmp_path / "b.tif").samples(), STACK)


def test_pyramids_of_pages(tmp_path):
    """The largest is what counts."""
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(STACK, subifds=1, photometric="minisblack", metadata={"axes": "ZYX"})
        file.write(STACK[:, ::2, ::2], subfiletype=1, photometric="minisblack")
    assert np.array_equal(volumes.read(tmp_path / "a.ome.tif").samples(), STACK)


@pytest.mark.parametrize("kind", ["zlib", "lzma"])
def test_a_part_is_inflated_no_further_than_it_announces(tmp_path, kind, monkeypatch):
    """It may hold more than any memory."""
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(0).integers(0, 255, (2, 16, 16)).astype(np.uint8)
    tifffile.imwrite(path, noise, photometric="minisblack", compression=kind, metadata=None)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        start, length = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    bomb = (zlib if kind == "zlib" else lzma).compress(bytes(2**16))
    assert len(bomb) < length
    data[start : start + length] = bomb.ljust(length, b"\0")
    path.write_bytes(data)
    with pytest.raises(VolumeError, match="more than the 256 bytes"):
        volumes.read(path)


def test_channels_beyond_colors_are_said_to_be_left_out(tmp_path):
    """Opacity, infrared."""
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([STACK] * 4, axis=-1), photometric="rgb", extrasamples=["unspecified"]
    )
    assert "beyond red, green and blue are left out" in volumes.read(tmp_path / "a.tif").origin.remarks[0]


def test_channels_of_a_compressed_stack_are_not_slices(tmp_path):
    """Two channels and five slices are ten pages, but no ten slices."""
    pages = [page for page in STACK for _ in range(2)]
    description = "ImageJ=1.54\nimages=10\nchannels=2\nslices=5\nhyperstack=true\n"
    path = saved(tmp_path / "a.tif", pages, compression="tiff_lzw", tiffinfo={270: description})
    with pytest.raises(VolumeError, match="has 4 axes"):
        volumes.read(path)


@pytest.mark.parametrize("kind", [np.int8, np.uint32, np.float64])
def test_an_independent_reader_finds_what_was_written(tmp_path, kind):
    """Values and type."""
    volume = volumes.read((STACK // 2).astype(kind), window=(0, 127))
    volumes.write(tmp_path / "a.tif", volume)
    found = tifffile.imread(tmp_path / "a.tif")
    assert found.dtype == kind
    assert found == pytest.approx(STACK // 2, rel=1e-6)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_that_lead_in_a_circle_end(tmp_path, bigtiff, order):
    """The last page's successor is the first one: no stack, and said in a sentence."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, bigtiff=bigtiff, byteorder=order, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as file:
        first, last = file.pages[0].offset, file.pages[-1]
        tags, width = len(last.tags), 8 if bigtiff else 4
    behind = last.offset + (8 + 20 * tags if bigtiff else 2 + 12 * tags)
    data = bytearray(path.read_bytes())
    assert not any(data[behind : behind + width])
    data[behind : behind + width] = first.to_bytes(width, "little" if order == "<" else "big")
    path.write_bytes(data)
    assert not holds_volume(path)
    with pytest.raises(VolumeError, match="in a circle"):
        volumes.read(path)
