"""Pyramids of tiles: BigTIFF and Deep Zoom."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image

from impasto import images
from impasto.errors import ImageError, SettingsError
from impasto.images import pyramids


@pytest.fixture
def pixels():
    """A picture of more than one tile, (1, 3, 300, 700)."""
    return torch.rand(1, 3, 300, 700, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def all_large(monkeypatch):
    """Every TIFF is worth a pyramid."""
    monkeypatch.setattr(pyramids, "LARGE", 1)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_large_tiff_is_a_pyramid(all_large, tmp_path, pixels, depth):
    """BigTIFF in tiles with reductions, one picture to every reader, and the samples bit for bit."""
    path = tmp_path / "large.tif"
    images.write(path, pixels, depth=depth, recipe={"a": "ä"}, parameters="made\nso")
    assert path.read_bytes()[:4] == b"II+\0"
    found = pyvips.Image.new_from_file(str(path))
    assert found.get("n-subifds") == 2
    half = pyvips.Image.new_from_file(str(path), subifd=0)
    assert (half.width, half.height) == (350, 150)
    back = images.read(path)
    assert torch.equal(back.pixels, images.quantize(pixels, depth))
    assert images.read_recipe(path) == {"a": "ä"}
    assert images.read_parameters(path) == "made\nso"
    assert [item.name for item in tmp_path.iterdir()] == ["large.tif"]


def test_other_programs_see_one_picture(all_large, tmp_path, pixels):
    """Pillow reads the full size and no further page."""
    path = tmp_path / "large.tif"
    images.write(path, pixels)
    with Image.open(path) as found:
        assert found.size == (700, 300)
        assert getattr(found, "n_frames", 1) == 1
        assert np.array_equal(np.asarray(found), images.to_array(pixels))
    assert images.read_recipe(path) is None


def test_what_the_source_brings_is_kept(all_large, tmp_path, pixels):
    """Transparency and resolution."""
    path = tmp_path / "large.tif"
    alpha = torch.rand(1, 1, 300, 700)
    images.write(path, pixels, alpha=alpha)
    assert torch.equal(images.read(path).alpha, images.quantize(alpha))


def test_small_tiffs_stay_as_they_were(tmp_path, pixels):
    """Classic and in strips, for the oldest readers."""
    images.write(tmp_path / "small.tif", pixels)
    assert (tmp_path / "small.tif").read_bytes()[:4] == b"II*\0"


def test_deep_zoom(tmp_path, pixels):
    """A description, and tiles whose pixels are the picture's, as far as JPEG has them."""
    path = tmp_path / "scan.dzi"
    smooth = torch.nn.functional.interpolate(pixels[..., ::20, ::20], (300, 700), mode="bilinear")
    for _ in range(2):  # the second time over the first
        images.write(path, smooth, recipe={"size": 700}, quality=90)
    size = ET.fromstring(path.read_text())[0].attrib
    assert (size["Width"], size["Height"]) == ("700", "300")
    tile = images.read(tmp_path / "scan_files" / "10" / "1_0.jpg").pixels
    assert (tile - smooth[..., : tile.shape[2], 253 : 253 + tile.shape[3]]).abs().max() < 0.1
    assert json.loads((tmp_path / "scan_files" / "impasto.json").read_text()) == {"size": 700}
    assert images.read_recipe(path) == {"size": 700}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["scan.dzi", "scan_files"]


def test_deep_zoom_holds_no_transparency_and_8_bits(tmp_path, pixels):
    """Its tiles are JPEG files."""
    with pytest.raises(ImageError, match="DZI cannot store the picture's transparency"):
        images.write(tmp_path / "a.dzi", pixels, alpha=torch.rand(1, 1, 300, 700))
    with pytest.raises(ImageError, match="DZI holds 8 bits"):
        images.check_writable(tmp_path / "a.dzi", depth=16)
    with pytest.raises(ImageError, match="does not exist; create it first"):
        images.check_writable(tmp_path / "no" / "a.dzi")
    with pytest.raises(SettingsError, match="quality"):
        images.write(tmp_path / "a.dzi", pixels, quality=0)
    assert not list(tmp_path.iterdir())


def obstacle(kind, folder):
    """What stands in the place of the tiles."""
    if kind == "a file":
        folder.write_text("mine")
    elif kind == "a link":
        folder.with_name("elsewhere").mkdir()
        folder.symlink_to(folder.with_name("elsewhere"))
    elif kind == "a link to nothing":
        folder.symlink_to(folder.with_name("nothing"))
    else:
        (folder / "11").mkdir(parents=True)
        (folder / "11" / "0_0.jpg").write_text("mine")
        if kind == "a file among ours":
            (folder / "impasto.json").write_text("null")
            (folder / "letter.txt").write_text("mine")
        if kind == "a file among our tiles":
            (folder / "impasto.json").write_text("null")
            (folder / "11" / "photo.jpg").write_text("mine")


OBSTACLES = [
    ("a file", "page_files is no folder"),
    ("a link", "page_files is no folder"),
    ("a link to nothing", "page_files is no folder"),
    ("a folder of a browser", "page_files is there already, and not from impasto"),
    ("a file among ours", "page_files holds letter.txt, which is not from impasto"),
    ("a file among our tiles", "page_files holds 11/photo.jpg, which is not from impasto"),
]


@pytest.mark.parametrize(("kind", "sentence"), OBSTACLES)
def test_tiles_take_the_place_of_nothing_that_is_a_persons(tmp_path, pixels, kind, sentence):
    """It is refused before the run and after it, and all of it stays."""
    obstacle(kind, tmp_path / "page_files")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    for attempt in (images.check_writable, lambda path: images.write(path, pixels)):
        with pytest.raises(ImageError, match=sentence):
            attempt(tmp_path / "page.dzi")
        assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_tiles_that_cannot_be_replaced_are_refused(tmp_path, pixels, monkeypatch):
    """A folder that its owner protected, and a name that is too long with the tiles' ending."""
    images.write(tmp_path / "page.dzi", pixels)
    monkeypatch.setattr("os.access", lambda path, _: not str(path).endswith("_files"))
    with pytest.raises(ImageError, match="page_files is write-protected"):
        images.check_writable(tmp_path / "page.dzi")
    name = tmp_path / f"{'x' * 250}.dzi"
    with pytest.raises(ImageError, match=r"cannot be written .*name too long.*shorter"):
        images.check_writable(name)


def test_a_kill_while_tiles_are_replaced_loses_nothing(tmp_path, pixels, monkeypatch):
    """Wherever the exchange ends, the tiles of the old picture are still there."""
    path = tmp_path / "page.dzi"
    images.write(path, pixels, recipe={"old": 1})
    rename = Path.replace

    for at in (1, 2):
        calls = []

        def killed(self, target, calls=calls, at=at):
            calls.append(self)
            if len(calls) == at:
                raise KeyboardInterrupt
            return rename(self, target)

        monkeypatch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            images.write(path, pixels / 2, recipe={"new": 1})
        monkeypatch.setattr(Path, "replace", rename)
        kept = [found for found in tmp_path.rglob("impasto.json") if "old" in found.read_text()]
        assert kept
        if at == 1:
            assert images.read_recipe(path) == {"old": 1}


def test_a_recipe_is_found_through_a_link(tmp_path, pixels):
    """The tiles lie beside the file that the link leads to; without a recipe there is none."""
    (tmp_path / "real").mkdir()
    (tmp_path / "page.dzi").symlink_to(tmp_path / "real" / "scan.dzi")
    images.write(tmp_path / "page.dzi", pixels)
    assert (tmp_path / "real" / "scan_files" / "impasto.json").is_file()
    assert images.read_recipe(tmp_path / "real" / "scan.dzi") is None
    images.write(tmp_path / "page.dzi", pixels, recipe={"a": 1})
    assert images.read_recipe(tmp_path / "page.dzi") == {"a": 1}


def test_a_large_tiff_carries_what_small_ones_do(all_large, tmp_path, pixels):
    """EXIF, profile and resolution, in a directory that other programs read."""
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x8769: {0x829A: 0.02}, 0x011A: 300.0, 0x011B: 200.0, 0x0128: 2})
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "WEBP", exif=exif, icc_profile=pyvips.Operation.call("profile_load", "p3"))
    like = images.read(stream.getvalue())
    assert images.write(tmp_path / "a.tif", pixels, like=like, recipe={}) == ()
    back = images.read(tmp_path / "a.tif").source
    assert (back.icc, back.dpi) == (like.source.icc, (300, 200))
    assert b"Maker" in back.exif
    with Image.open(tmp_path / "a.tif") as found:
        assert found.getexif()[0x010F] == "Maker"
        assert found.getexif().get_ifd(0x8769)[0x829A] == pytest.approx(0.02)


def test_a_failure_leaves_nothing_behind(all_large, tmp_path, pixels, monkeypatch):
    """Neither a part of the new file nor a hole where the old one was."""
    path = tmp_path / "large.tif"
    images.write(path, pixels)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyvips.Image, "tiffsave", fail, raising=False)
    with pytest.raises(ImageError, match=r"cannot be written .*No space left"):
        images.write(path, pixels / 2)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["large.tif"]
